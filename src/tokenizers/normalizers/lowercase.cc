// Lowercase: every character by itself, without a locale or a final sigma.
#include "tokenizers/internal/normal_form.h"
#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

class LowercaseNormalizer : public Normalizer {
 public:
  void Normalize(NormalizedString* text) const override { internal::ApplyLowercase(text); }
  Json ToJson() const override { return Json::Obj({{"type", "Lowercase"}}); }
};

}  // namespace

std::unique_ptr<Normalizer> ParseLowercaseNormalizer(const Json&) {
  return std::make_unique<LowercaseNormalizer>();
}

}  // namespace hearth::tokenizers

// NFD: canonical decomposition.
#include "tokenizers/internal/normal_form.h"
#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

class NfdNormalizer : public Normalizer {
 public:
  void Normalize(NormalizedString* text) const override {
    internal::ApplyForm(NormalizationForm::kNfd, text);
  }
  Json ToJson() const override { return Json::Obj({{"type", "NFD"}}); }
};

}  // namespace

std::unique_ptr<Normalizer> ParseNfdNormalizer(const Json&) {
  return std::make_unique<NfdNormalizer>();
}

}  // namespace hearth::tokenizers

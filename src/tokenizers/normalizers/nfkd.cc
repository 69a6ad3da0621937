// NFKD: compatibility decomposition.
#include "tokenizers/internal/normal_form.h"
#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

class NfkdNormalizer : public Normalizer {
 public:
  void Normalize(NormalizedString* text) const override {
    internal::ApplyForm(NormalizationForm::kNfkd, text);
  }
  Json ToJson() const override { return Json::Obj({{"type", "NFKD"}}); }
};

}  // namespace

std::unique_ptr<Normalizer> ParseNfkdNormalizer(const Json&) {
  return std::make_unique<NfkdNormalizer>();
}

}  // namespace hearth::tokenizers

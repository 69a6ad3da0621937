// NFKC: compatibility composition.
#include "tokenizers/internal/normal_form.h"
#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

class NfkcNormalizer : public Normalizer {
 public:
  void Normalize(NormalizedString* text) const override {
    internal::ApplyForm(NormalizationForm::kNfkc, text);
  }
  Json ToJson() const override { return Json::Obj({{"type", "NFKC"}}); }
};

}  // namespace

std::unique_ptr<Normalizer> ParseNfkcNormalizer(const Json&) {
  return std::make_unique<NfkcNormalizer>();
}

}  // namespace hearth::tokenizers

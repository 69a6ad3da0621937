// NFC: canonical composition.
#include "tokenizers/internal/normal_form.h"
#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

class NfcNormalizer : public Normalizer {
 public:
  void Normalize(NormalizedString* text) const override {
    internal::ApplyForm(NormalizationForm::kNfc, text);
  }
  Json ToJson() const override { return Json::Obj({{"type", "NFC"}}); }
};

}  // namespace

std::unique_ptr<Normalizer> ParseNfcNormalizer(const Json&) {
  return std::make_unique<NfcNormalizer>();
}

}  // namespace hearth::tokenizers

// StripAccents: combining marks out. Text is usually decomposed (NFD) before.
#include "text/unicode.h"
#include "tokenizers/internal/edits.h"
#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

class StripAccentsNormalizer : public Normalizer {
 public:
  void Normalize(NormalizedString* text) const override {
    internal::Filter(text, [](char32_t c) { return !IsCombiningMark(c); });
  }
  Json ToJson() const override { return Json::Obj({{"type", "StripAccents"}}); }
};

}  // namespace

std::unique_ptr<Normalizer> ParseStripAccentsNormalizer(const Json&) {
  return std::make_unique<StripAccentsNormalizer>();
}

}  // namespace hearth::tokenizers

// Nmt: control characters out, the white space and invisible characters of neural machine
// translation corpora to ' '.
#include "text/unicode.h"
#include "tokenizers/internal/edits.h"
#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

class NmtNormalizer : public Normalizer {
 public:
  void Normalize(NormalizedString* text) const override {
    internal::Filter(text, [](char32_t c) { return !IsNmtControl(c); });
    internal::MapCharacters(text, [](char32_t c) -> char32_t { return IsNmtSpace(c) ? ' ' : c; });
  }
  Json ToJson() const override { return Json::Obj({{"type", "Nmt"}}); }
};

}  // namespace

std::unique_ptr<Normalizer> ParseNmtNormalizer(const Json&) {
  return std::make_unique<NmtNormalizer>();
}

}  // namespace hearth::tokenizers

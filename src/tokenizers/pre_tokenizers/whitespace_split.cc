// WhitespaceSplit: cuts at white space, which goes.
#include "text/unicode.h"
#include "tokenizers/pre_tokenizer.h"

namespace hearth::tokenizers {
namespace {

class WhitespaceSplitPreTokenizer : public PreTokenizer {
 public:
  void PreTokenize(PreTokenizedString* text) const override {
    text->SplitPieces(SplitBehavior::kRemoved, [](std::string_view bytes, auto* pieces) {
      FindCharacterPieces(bytes, IsWhitespace, pieces);
    });
  }

  Json ToJson() const override { return Json::Obj({{"type", "WhitespaceSplit"}}); }
};

}  // namespace

std::unique_ptr<PreTokenizer> ParseWhitespaceSplitPreTokenizer(const Json&) {
  return std::make_unique<WhitespaceSplitPreTokenizer>();
}

}  // namespace hearth::tokenizers

// CharDelimiterSplit: cuts at one character, which goes.
#include <string>

#include "tokenizers/internal/json_fields.h"
#include "tokenizers/pre_tokenizer.h"

namespace hearth::tokenizers {
namespace {

class DelimiterPreTokenizer : public PreTokenizer {
 public:
  explicit DelimiterPreTokenizer(const Json& json)
      : delimiter_(internal::RequireCharacter(json, "delimiter")),
        delimiter_text_(json.RequireString("delimiter")) {}

  void PreTokenize(PreTokenizedString* text) const override {
    text->SplitPieces(SplitBehavior::kRemoved, [this](std::string_view bytes, auto* pieces) {
      FindCharacterPieces(
          bytes, [this](char32_t c) { return c == delimiter_; }, pieces);
    });
  }

  Json ToJson() const override {
    return Json::Obj({{"type", "CharDelimiterSplit"}, {"delimiter", delimiter_text_}});
  }

 private:
  char32_t delimiter_;
  std::string delimiter_text_;
};

}  // namespace

std::unique_ptr<PreTokenizer> ParseDelimiterPreTokenizer(const Json& json) {
  return std::make_unique<DelimiterPreTokenizer>(json);
}

}  // namespace hearth::tokenizers

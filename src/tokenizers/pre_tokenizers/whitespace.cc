// Whitespace: runs of word characters, and runs of what is neither a word character nor white space
// (\w+|[^\w\s]+ in the words of the reference); white space goes.
#include "text/unicode.h"
#include "tokenizers/pre_tokenizer.h"

namespace hearth::tokenizers {
namespace {

enum class Kind { kSpace, kWord, kOther };

Kind KindOf(char32_t c) {
  if (IsCrateWord(c)) return Kind::kWord;
  return IsCrateSpace(c) ? Kind::kSpace : Kind::kOther;
}

class WhitespacePreTokenizer : public PreTokenizer {
 public:
  void PreTokenize(PreTokenizedString* text) const override {
    text->SplitParts([](const NormalizedString& part, PreTokenizedString::Sink* sink) {
      std::string_view bytes = part.text();
      size_t begin = 0;
      Kind run = Kind::kSpace;
      for (size_t at = 0; at < bytes.size();) {
        internal::Character character = internal::CharacterAt(bytes, at);
        Kind kind = KindOf(character.value);
        if (kind != run) {
          if (run != Kind::kSpace) sink->Add(part.Slice(begin, at));
          begin = at;
          run = kind;
        }
        at += character.length;
      }
      if (run != Kind::kSpace) sink->Add(part.Slice(begin, bytes.size()));
    });
  }

  Json ToJson() const override { return Json::Obj({{"type", "Whitespace"}}); }
};

}  // namespace

std::unique_ptr<PreTokenizer> ParseWhitespacePreTokenizer(const Json&) {
  return std::make_unique<WhitespacePreTokenizer>();
}

}  // namespace hearth::tokenizers

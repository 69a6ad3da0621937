// BertPreTokenizer: cuts at white space, which goes, and around every punctuation character.
#include "text/unicode.h"
#include "tokenizers/pre_tokenizer.h"

namespace hearth::tokenizers {
namespace {

class BertPreTokenizer : public PreTokenizer {
 public:
  // One pass gives what cutting at white space and then at punctuation would: neither kind of
  // character is the other.
  void PreTokenize(PreTokenizedString* text) const override {
    text->SplitParts([](const NormalizedString& part, PreTokenizedString::Sink* sink) {
      std::string_view bytes = part.text();
      size_t word = 0;
      for (size_t at = 0; at < bytes.size();) {
        internal::Character character = internal::CharacterAt(bytes, at);
        size_t next = at + character.length;
        bool space = IsWhitespace(character.value);
        if (space || IsPunctuation(character.value)) {
          if (word < at) sink->Add(part.Slice(word, at));
          if (!space) sink->Add(part.Slice(at, next));
          word = next;
        }
        at = next;
      }
      if (word < bytes.size()) sink->Add(part.Slice(word, bytes.size()));
    });
  }

  Json ToJson() const override { return Json::Obj({{"type", "BertPreTokenizer"}}); }
};

}  // namespace

std::unique_ptr<PreTokenizer> ParseBertPreTokenizer(const Json&) {
  return std::make_unique<BertPreTokenizer>();
}

}  // namespace hearth::tokenizers

// UnicodeScripts: cuts where the script changes. Spaces, and characters that belong to every
// script, go with what is before them.
#include <optional>

#include "text/unicode.h"
#include "tokenizers/pre_tokenizer.h"

namespace hearth::tokenizers {
namespace {

class UnicodeScriptsPreTokenizer : public PreTokenizer {
 public:
  // The first piece begins at the first character that has a script of its own: what stands before
  // it is lost, as it is in the reference.
  void PreTokenize(PreTokenizedString* text) const override {
    text->SplitParts([](const NormalizedString& part, PreTokenizedString::Sink* sink) {
      std::string_view bytes = part.text();
      std::optional<uint8_t> last;
      std::optional<size_t> begin;
      for (size_t at = 0; at < bytes.size();) {
        internal::Character character = internal::CharacterAt(bytes, at);
        uint8_t script = ScriptOf(character.value);
        if (script != kAnyScript && script != last) {
          if (begin) sink->Add(part.Slice(*begin, at));
          begin = at;
          last = script;
        }
        at += character.length;
      }
      if (begin) sink->Add(part.Slice(*begin, bytes.size()));
    });
  }

  Json ToJson() const override { return Json::Obj({{"type", "UnicodeScripts"}}); }
};

}  // namespace

std::unique_ptr<PreTokenizer> ParseUnicodeScriptsPreTokenizer(const Json&) {
  return std::make_unique<UnicodeScriptsPreTokenizer>();
}

}  // namespace hearth::tokenizers

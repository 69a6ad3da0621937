// Replace: each match of a string or of a regular expression inside of a token becomes a fixed
// string.
#include "base/error.h"
#include "tokenizers/decoder.h"
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/pattern.h"

namespace hearth::tokenizers {
namespace {

// Replacements in a row may each multiply their input. Far more than a text of a million tokens.
constexpr size_t kMaxGrownBytes = 256u << 20;

class ReplaceDecoder : public Decoder {
 public:
  ReplaceDecoder(Pattern pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}

  void Decode(std::vector<std::string>* tokens) const override {
    std::vector<Piece> pieces;
    size_t grown = 0;  // bytes of what became longer
    for (std::string& token : *tokens) {
      pieces.clear();
      pattern_.FindPieces(token, &pieces);
      if (pieces.size() == 1 && !pieces[0].match) continue;
      std::string text;
      for (const Piece& piece : pieces) {
        if (piece.match) {
          if (grown + text.size() + content_.size() > kMaxGrownBytes) {
            throw Error(Code::kTooLarge, "a decoder makes too much text of its tokens");
          }
          text += content_;
        } else {
          text.append(token, piece.begin, piece.end - piece.begin);
        }
      }
      if (text.size() > token.size()) grown += text.size();
      token = std::move(text);
    }
  }

  Json ToJson() const override {
    return Json::Obj({{"type", "Replace"}, {"pattern", pattern_.ToJson()}, {"content", content_}});
  }

 private:
  Pattern pattern_;
  std::string content_;
};

}  // namespace

std::unique_ptr<Decoder> ParseReplaceDecoder(const Json& json) {
  return std::make_unique<ReplaceDecoder>(Pattern::Parse(internal::Require(json, "pattern")),
                                          json.RequireString("content"));
}

}  // namespace hearth::tokenizers

// CTC: repeated tokens once, pad tokens out, and with cleanup the word delimiter becomes a space.
// https://distill.pub/2017/ctc
#include "tokenizers/decoder.h"
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/internal/replace_text.h"

namespace hearth::tokenizers {
namespace {

class CtcDecoder : public Decoder {
 public:
  explicit CtcDecoder(const Json& json)
      : pad_token_(json.RequireString("pad_token")),
        word_delimiter_token_(json.RequireString("word_delimiter_token")),
        cleanup_(internal::RequireBool(json, "cleanup")) {}

  void Decode(std::vector<std::string>* tokens) const override {
    std::vector<std::string> result;
    for (size_t i = 0; i < tokens->size(); ++i) {
      if (i > 0 && (*tokens)[i] == (*tokens)[i - 1]) continue;
      std::string text = (*tokens)[i];
      internal::ReplaceAll(pad_token_, "", &text);
      if (cleanup_) {
        internal::CleanUp(&text);
        internal::ReplaceAll(word_delimiter_token_, " ", &text);
      }
      if (!text.empty()) result.push_back(std::move(text));
    }
    *tokens = std::move(result);
  }

  Json ToJson() const override {
    return Json::Obj({{"type", "CTC"},
                      {"pad_token", pad_token_},
                      {"word_delimiter_token", word_delimiter_token_},
                      {"cleanup", cleanup_}});
  }

 private:
  std::string pad_token_;
  std::string word_delimiter_token_;
  bool cleanup_;
};

}  // namespace

std::unique_ptr<Decoder> ParseCtcDecoder(const Json& json) {
  return std::make_unique<CtcDecoder>(json);
}

}  // namespace hearth::tokenizers

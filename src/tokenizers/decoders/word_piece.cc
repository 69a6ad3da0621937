// WordPiece: tokens with the prefix continue the word, others begin one after a space.
#include "tokenizers/decoder.h"
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/internal/replace_text.h"

namespace hearth::tokenizers {
namespace {

class WordPieceDecoder : public Decoder {
 public:
  WordPieceDecoder(std::string prefix, bool cleanup)
      : prefix_(std::move(prefix)), cleanup_(cleanup) {}

  void Decode(std::vector<std::string>* tokens) const override {
    for (size_t i = 0; i < tokens->size(); ++i) {
      std::string& token = (*tokens)[i];
      if (i > 0) {
        if (token.starts_with(prefix_)) {
          token.erase(0, prefix_.size());
        } else {
          token.insert(0, 1, ' ');
        }
      }
      if (cleanup_) internal::CleanUp(&token);
    }
  }

  Json ToJson() const override {
    return Json::Obj({{"type", "WordPiece"}, {"prefix", prefix_}, {"cleanup", cleanup_}});
  }

 private:
  std::string prefix_;
  bool cleanup_;
};

}  // namespace

std::unique_ptr<Decoder> ParseWordPieceDecoder(const Json& json) {
  return std::make_unique<WordPieceDecoder>(json.RequireString("prefix"),
                                            internal::RequireBool(json, "cleanup"));
}

}  // namespace hearth::tokenizers

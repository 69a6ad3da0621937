// Whole words: a piece is a token of the vocabulary or the unknown token.
#include "base/error.h"
#include "tokenizers/model.h"
#include "tokenizers/models/vocab_model.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {
namespace {

class WordLevel : public VocabModel {
 public:
  WordLevel(Vocab vocab, std::string unk_token)
      : VocabModel(std::move(vocab)), unk_token_(std::move(unk_token)) {}

  void Tokenize(std::string_view piece, std::vector<Token>* tokens) const override {
    if (auto id = FindId(piece)) {
      tokens->push_back({*id, std::string(piece), {0, piece.size()}});
    } else if (auto unk_id = FindId(unk_token_)) {
      tokens->push_back({*unk_id, unk_token_, {0, piece.size()}});
    } else {
      throw Error(Code::kInvalidArgument,
                  "WordLevel error: Missing [UNK] token from the vocabulary");
    }
  }

  std::string_view type() const override { return "WordLevel"; }

  Json ToJson() const override {
    return Json::Obj(
        {{"type", "WordLevel"}, {"vocab", VocabToJson(vocab())}, {"unk_token", unk_token_}});
  }

 private:
  std::string unk_token_;
};

}  // namespace

std::unique_ptr<Model> ParseWordLevel(const Json& json, ModelParts parts) {
  return std::make_unique<WordLevel>(TakeVocab(json, &parts), json.RequireString("unk_token"));
}

}  // namespace hearth::tokenizers

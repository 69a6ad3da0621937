// Greedy longest match from the left (BERT): every token but the first of a word carries a prefix,
// usually "##". A word of which some part has no token becomes one unknown token.
#include <algorithm>

#include "base/error.h"
#include "tokenizers/model.h"
#include "tokenizers/models/vocab_model.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {
namespace {

struct WordPieceOptions {
  std::string unk_token = "[UNK]";
  std::string continuing_subword_prefix = "##";
  uint64_t max_input_chars_per_word = 100;  // code points
};

bool IsContinuationByte(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

class WordPiece : public VocabModel {
 public:
  WordPiece(Vocab vocab, WordPieceOptions options)
      : VocabModel(std::move(vocab)), options_(std::move(options)) {}

  void Tokenize(std::string_view piece, std::vector<Token>* tokens) const override {
    auto chars = static_cast<uint64_t>(
        std::count_if(piece.begin(), piece.end(), [](char c) { return !IsContinuationByte(c); }));
    if (chars > options_.max_input_chars_per_word) return AppendUnknown(piece, tokens);
    size_t first = tokens->size();
    std::string buffer;
    for (size_t start = 0; start < piece.size();) {
      size_t end = FindLongest(piece, start, &buffer, tokens);
      if (end == start) {
        tokens->resize(first);
        return AppendUnknown(piece, tokens);
      }
      start = end;
    }
  }

  std::string_view type() const override { return "WordPiece"; }
  std::string_view word_part_prefix() const override { return options_.continuing_subword_prefix; }

  Json ToJson() const override {
    return Json::Obj({{"type", "WordPiece"},
                      {"unk_token", options_.unk_token},
                      {"continuing_subword_prefix", options_.continuing_subword_prefix},
                      {"max_input_chars_per_word", options_.max_input_chars_per_word},
                      {"vocab", VocabToJson(vocab())}});
  }

 private:
  // Appends the longest token that starts at `start` and returns its end; `start` when there is
  // none.
  size_t FindLongest(std::string_view piece, size_t start, std::string* buffer,
                     std::vector<Token>* tokens) const {
    buffer->clear();
    if (start > 0) *buffer = options_.continuing_subword_prefix;
    size_t prefix = buffer->size();
    // Nothing longer than the longest token can match: keeps long words linear.
    size_t longest = vocab().longest_token_bytes();
    size_t end = std::min(piece.size(), start + (longest > prefix ? longest - prefix : 0));
    while (end > start && end < piece.size() && IsContinuationByte(piece[end])) --end;
    *buffer += piece.substr(start, end - start);
    while (end > start) {
      if (auto id = FindId(*buffer)) {
        tokens->push_back({*id, *buffer, {start, end}});
        return end;
      }
      do {
        --end;
        buffer->pop_back();
      } while (end > start && IsContinuationByte(piece[end]));
    }
    return start;
  }

  void AppendUnknown(std::string_view piece, std::vector<Token>* tokens) const {
    auto id = FindId(options_.unk_token);
    if (!id) {
      throw Error(Code::kInvalidArgument,
                  "WordPiece error: Missing [UNK] token from the vocabulary");
    }
    tokens->push_back({*id, options_.unk_token, {0, piece.size()}});
  }

  WordPieceOptions options_;
};

}  // namespace

std::unique_ptr<Model> ParseWordPiece(const Json& json, ModelParts parts) {
  WordPieceOptions options;
  options.unk_token = json.RequireString("unk_token");
  options.continuing_subword_prefix = json.RequireString("continuing_subword_prefix");
  const Json& chars = RequireField(json, "max_input_chars_per_word");
  if (!(chars.is_int() || chars.is_unsigned()) || !chars.AsUint()) {
    throw Error(Code::kInvalidArgument, "\"max_input_chars_per_word\" must be an unsigned integer");
  }
  options.max_input_chars_per_word = *chars.AsUint();
  return std::make_unique<WordPiece>(TakeVocab(json, &parts), std::move(options));
}

}  // namespace hearth::tokenizers

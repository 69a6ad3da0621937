// Unigram language model: the segmentation of a piece with the highest sum of log probabilities,
// found by Viterbi over byte positions. A character that no token covers alone may be unknown, at
// ten below the lowest score; neighbouring unknown ones become one token.
//
// Scores are doubles and a later start must be strictly better to win: ties fall as in the
// reference.
#include <algorithm>
#include <limits>
#include <mutex>

#include "base/error.h"
#include "base/utf8.h"
#include "tokenizers/model.h"
#include "tokenizers/models/byte_tokens.h"
#include "tokenizers/models/byte_trie.h"
#include "tokenizers/models/vocab_model.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {
namespace {

constexpr double kUnknownPenalty = 10;
constexpr uint32_t kNoId = std::numeric_limits<uint32_t>::max();

struct UnigramOptions {
  std::optional<uint32_t> unk_id;
  bool byte_fallback = false;
};

[[noreturn]] void MissingUnknown() {
  throw Error(Code::kInvalidArgument, "Encountered an unknown token but `unk_id` is missing");
}

class Unigram : public Model {
 public:
  Unigram(ScoredPieces pieces, UnigramOptions options)
      : options_(options), pieces_(std::move(pieces)) {
    if (options_.byte_fallback) byte_ids_ = FindByteTokens(pieces_.vocab());
  }

  void Tokenize(std::string_view piece, std::vector<Token>* tokens) const override {
    if (piece.empty()) return;
    for (const Offsets& part : FindBestPath(piece)) Append(piece, part, tokens);
  }

  std::optional<uint32_t> FindId(std::string_view token) const override {
    return pieces_.vocab().FindId(token);
  }
  std::optional<std::string_view> FindToken(uint32_t id) const override {
    if (id >= pieces_.size()) return std::nullopt;
    return pieces_.text(id);
  }
  size_t vocab_size() const override { return pieces_.size(); }
  void ForEachToken(const std::function<void(std::string_view, uint32_t)>& visit) const override {
    pieces_.vocab().ForEachToken(visit);
  }
  std::string_view type() const override { return "Unigram"; }
  ModelTables tables() const override { return {.vocab = &pieces_.vocab(), .pieces = &pieces_}; }

  Json ToJson() const override {
    Json::Array pieces;
    pieces.reserve(pieces_.size());
    for (uint32_t id = 0; id < pieces_.size(); ++id) {
      pieces.push_back(Json::Arr({pieces_.text(id), pieces_.score(id)}));
    }
    return Json::Obj({{"type", "Unigram"},
                      {"unk_id", options_.unk_id},
                      {"vocab", Json(std::move(pieces))},
                      {"byte_fallback", options_.byte_fallback}});
  }

 private:
  // The best way to reach a byte position.
  struct Node {
    double score = 0;
    size_t start = SIZE_MAX;  // SIZE_MAX: not reached yet
    uint32_t id = kNoId;
  };

  static void Improve(Node* node, double score, size_t start, uint32_t id) {
    if (node->start == SIZE_MAX || score > node->score) *node = {score, start, id};
  }

  std::vector<Offsets> FindBestPath(std::string_view piece) const {
    std::call_once(once_, [this] {
      trie_ = TrieOf(pieces_);
      double lowest = std::numeric_limits<double>::infinity();
      for (double score : pieces_.scores()) lowest = std::min(lowest, score);
      unknown_score_ = lowest - kUnknownPenalty;
    });
    std::vector<Node> nodes(piece.size() + 1);
    for (size_t start = 0; start < piece.size();) {
      double so_far = nodes[start].score;
      size_t length = std::max<size_t>(Utf8Length(piece.substr(start)), 1);
      bool covered = false;
      trie_.ForEachPrefix(piece.substr(start), [&](size_t bytes, uint32_t id) {
        Improve(&nodes[start + bytes], pieces_.score(id) + so_far, start, id);
        covered |= bytes == length;
      });
      if (!covered) {
        Node* next = &nodes[start + length];
        double score = unknown_score_ + so_far;
        bool better = next->start == SIZE_MAX || score > next->score;
        if (better && !options_.unk_id) MissingUnknown();
        if (better) Improve(next, score, start, *options_.unk_id);
      }
      start += length;
    }
    return WalkBack(nodes);
  }

  // From the end to the start; runs of the unknown token are fused.
  std::vector<Offsets> WalkBack(const std::vector<Node>& nodes) const {
    std::vector<Offsets> parts;
    bool fusing = false;
    for (size_t end = nodes.size() - 1; end > 0; end = nodes[end].start) {
      bool unknown = options_.unk_id && nodes[end].id == *options_.unk_id;
      if (unknown && fusing) {
        parts.back().begin = nodes[end].start;
      } else {
        parts.push_back({nodes[end].start, end});
      }
      fusing = unknown;
    }
    std::reverse(parts.begin(), parts.end());
    return parts;
  }

  // The id is looked up by text again: a fused unknown run may be a token by chance.
  void Append(std::string_view piece, const Offsets& part, std::vector<Token>* tokens) const {
    std::string_view text = piece.substr(part.begin, part.end - part.begin);
    if (auto id = FindId(text)) {
      tokens->push_back({*id, std::string(text), part});
      return;
    }
    if (HasAllBytes(text)) {
      for (unsigned char byte : text) {
        tokens->push_back({*byte_ids_[byte], ByteTokenText(byte), part});
      }
      return;
    }
    if (!options_.unk_id) MissingUnknown();
    tokens->push_back({*options_.unk_id, std::string(text), part});
  }

  bool HasAllBytes(std::string_view text) const {
    return options_.byte_fallback && std::all_of(text.begin(), text.end(), [&](unsigned char byte) {
             return byte_ids_[byte].has_value();
           });
  }

  static ByteTrie TrieOf(const ScoredPieces& pieces) {
    std::vector<ByteTrie::Entry> entries;
    entries.reserve(pieces.size());
    for (uint32_t id = 0; id < pieces.size(); ++id) entries.emplace_back(pieces.text(id), id);
    return ByteTrie(std::move(entries));
  }

  UnigramOptions options_;
  ScoredPieces pieces_;
  ByteTokenIds byte_ids_;
  // Made for the first text that is encoded here: the fast path has its own.
  mutable std::once_flag once_;
  mutable ByteTrie trie_;
  mutable double unknown_score_ = 0;
};

std::optional<uint32_t> ReadUnknownId(const Json& json, size_t pieces) {
  const Json* field = json.Find("unk_id");
  if (field == nullptr || field->is_null()) return std::nullopt;
  std::optional<uint64_t> id = field->AsUint();
  if (!id || !(field->is_int() || field->is_unsigned())) {
    throw Error(Code::kInvalidArgument, "\"unk_id\" must be an unsigned integer");
  }
  if (*id >= pieces) {
    throw Error(Code::kInvalidArgument, "The `unk_id` is larger than vocabulary size");
  }
  return static_cast<uint32_t>(*id);
}

}  // namespace

std::unique_ptr<Model> ParseUnigram(const Json& json, ModelParts parts) {
  if (!parts.pieces) {
    ScoreOrigin origin =
        json.Find(kBinaryScores) != nullptr ? ScoreOrigin::kBinary : ScoreOrigin::kText;
    parts.pieces = ParseScoredPieces(RequireField(json, "vocab"), origin);
  }
  UnigramOptions options;
  options.unk_id = ReadUnknownId(json, parts.pieces->size());
  if (const Json* fallback = json.Find("byte_fallback")) {
    if (!fallback->is_bool()) {
      throw Error(Code::kInvalidArgument, "\"byte_fallback\" must be true or false");
    }
    options.byte_fallback = *fallback->AsBool();
  }
  return std::make_unique<Unigram>(*std::move(parts.pieces), options);
}

}  // namespace hearth::tokenizers

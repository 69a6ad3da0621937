// Unigram language model: the segmentation of a piece with the highest sum of log probabilities,
// found by Viterbi over byte positions. A character that no token covers alone may be unknown, at
// ten below the lowest score; neighbouring unknown ones become one token.
//
// Scores are doubles and a later start must be strictly better to win: ties fall as in the
// reference.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

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
  std::vector<std::pair<std::string, double>> pieces;  // by id; a text given twice counts last
  std::optional<uint32_t> unk_id;
  bool byte_fallback = false;
};

[[noreturn]] void MissingUnknown() {
  throw Error(Code::kInvalidArgument, "Encountered an unknown token but `unk_id` is missing");
}

std::vector<Vocab::Entry> EntriesOf(const UnigramOptions& options) {
  std::vector<Vocab::Entry> entries;
  entries.reserve(options.pieces.size());
  for (const auto& [piece, score] : options.pieces) {
    entries.emplace_back(piece, static_cast<uint32_t>(entries.size()));
  }
  return entries;
}

class Unigram : public Model {
 public:
  explicit Unigram(UnigramOptions options)
      : options_(std::move(options)), vocab_(EntriesOf(options_)), trie_(EntriesOf(options_)) {
    if (options_.byte_fallback) byte_ids_ = FindByteTokens(vocab_);
    double lowest = std::numeric_limits<double>::infinity();
    for (const auto& [piece, score] : options_.pieces) lowest = std::min(lowest, score);
    unknown_score_ = lowest - kUnknownPenalty;
  }

  void Tokenize(std::string_view piece, std::vector<Token>* tokens) const override {
    if (piece.empty()) return;
    for (const Offsets& part : FindBestPath(piece)) Append(piece, part, tokens);
  }

  std::optional<uint32_t> FindId(std::string_view token) const override {
    return vocab_.FindId(token);
  }
  std::optional<std::string_view> FindToken(uint32_t id) const override {
    if (id >= options_.pieces.size()) return std::nullopt;
    return options_.pieces[id].first;
  }
  size_t vocab_size() const override { return options_.pieces.size(); }
  void ForEachToken(const std::function<void(std::string_view, uint32_t)>& visit) const override {
    vocab_.ForEachToken(visit);
  }
  std::string_view type() const override { return "Unigram"; }

  Json ToJson() const override {
    Json::Array pieces;
    pieces.reserve(options_.pieces.size());
    for (const auto& [piece, score] : options_.pieces) {
      pieces.push_back(Json::Arr({piece, score}));
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
    std::vector<Node> nodes(piece.size() + 1);
    for (size_t start = 0; start < piece.size();) {
      double so_far = nodes[start].score;
      size_t length = std::max<size_t>(Utf8Length(piece.substr(start)), 1);
      bool covered = false;
      trie_.ForEachPrefix(piece.substr(start), [&](size_t bytes, uint32_t id) {
        Improve(&nodes[start + bytes], options_.pieces[id].second + so_far, start, id);
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

  UnigramOptions options_;
  Vocab vocab_;
  ByteTrie trie_;
  ByteTokenIds byte_ids_;
  double unknown_score_ = 0;
};

// Correctly rounded, which std::pow does not promise.
double PowerOfTen(int exponent) {
  char text[8] = "1e";
  auto written = std::to_chars(text + 2, text + sizeof text, exponent);
  double value = 0;
  std::from_chars(text, written.ptr, value);
  return value;
}

// The reference reads decimal text as an integer divided by (or times) a power of ten, rounding
// twice: one score in eight is off by the last bit, which decides ties and is written out again. So
// the shortest decimal text of the exact value, which is what files hold, is read the same way.
double RoundAsReference(double exact) {
  if (exact == 0 || !std::isfinite(exact)) return exact;
  char text[40];
  auto written =
      std::to_chars(text, text + sizeof text, std::fabs(exact), std::chars_format::scientific);
  uint64_t digits = 0;
  int exponent = 0;
  const char* at = text;
  for (bool fraction = false; at < written.ptr && *at != 'e'; ++at) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    digits = digits * 10 + static_cast<uint64_t>(*at - '0');
    exponent -= fraction ? 1 : 0;
  }
  int power = 0;
  if (at < written.ptr) std::from_chars(at + (at[1] == '+' ? 2 : 1), written.ptr, power);
  exponent += power;
  auto value = static_cast<double>(digits);
  for (; exponent < -308; exponent += 308) value /= 1e308;
  value = exponent >= 0 ? value * PowerOfTen(exponent) : value / PowerOfTen(-exponent);
  return std::copysign(value, exact);
}

std::vector<std::pair<std::string, double>> ReadPieces(const Json& json) {
  const Json::Array* items = json.AsArray();
  if (items == nullptr) throw Error(Code::kInvalidArgument, "\"vocab\" must be a list");
  std::vector<std::pair<std::string, double>> pieces;
  pieces.reserve(items->size());
  for (const Json& item : *items) {
    const Json::Array* pair = item.AsArray();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string() ||
        !(*pair)[1].is_number()) {
      throw Error(Code::kInvalidArgument, "item " + std::to_string(pieces.size()) +
                                              " of \"vocab\" is not a text with its score");
    }
    pieces.emplace_back(*(*pair)[0].AsString(), RoundAsReference(*(*pair)[1].AsDouble()));
  }
  return pieces;
}

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

std::unique_ptr<Model> ParseUnigram(const Json& json) {
  UnigramOptions options;
  options.pieces = ReadPieces(RequireField(json, "vocab"));
  options.unk_id = ReadUnknownId(json, options.pieces.size());
  if (const Json* fallback = json.Find("byte_fallback")) {
    if (!fallback->is_bool()) {
      throw Error(Code::kInvalidArgument, "\"byte_fallback\" must be true or false");
    }
    options.byte_fallback = *fallback->AsBool();
  }
  return std::make_unique<Unigram>(std::move(options));
}

}  // namespace hearth::tokenizers

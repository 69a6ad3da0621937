// Byte pair encoding: a piece starts as its characters, then the learned merges join them.
//
// Characters without a token become their bytes ("<0x0A>") with byte_fallback where all of them
// have tokens, else the unknown token, else nothing. The last case and bytes of prefix and suffix
// shift the offsets, which count the bytes of symbols: so does the reference.
#include <charconv>

#include "base/error.h"
#include "base/random.h"
#include "base/utf8.h"
#include "tokenizers/model.h"
#include "tokenizers/models/bpe_merges.h"
#include "tokenizers/models/byte_tokens.h"
#include "tokenizers/models/vocab_model.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

struct BpeOptions {
  std::optional<float> dropout;  // 0..1
  std::optional<std::string> unk_token;
  std::optional<std::string> continuing_subword_prefix;
  std::optional<std::string> end_of_word_suffix;
  bool fuse_unk = false;
  bool byte_fallback = false;
  bool ignore_merges = false;
};

// One draw per candidate merge; needs speed, not secrecy.
bool Draw(float probability) {
  thread_local uint64_t state = std::hash<std::string>()(RandomBytes(8));
  state += 0x9E3779B97F4A7C15u;
  uint64_t z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return static_cast<float>((z ^ (z >> 31)) >> 40) * 0x1p-24f < probability;
}

class Bpe : public VocabModel {
 public:
  Bpe(Vocab vocab, BpeMerges merges, BpeOptions options)
      : VocabModel(std::move(vocab)),
        merges_(std::move(merges)),
        options_(std::move(options)),
        byte_ids_(options_.byte_fallback ? FindByteTokens(this->vocab()) : ByteTokenIds{}) {}

  void Tokenize(std::string_view piece, std::vector<Token>* tokens) const override {
    if (piece.empty()) return;
    float dropout = options_.dropout.value_or(0);
    if (options_.ignore_merges && dropout == 0) {
      if (auto id = FindId(piece)) {
        tokens->push_back({*id, std::string(piece), {0, piece.size()}});
        return;
      }
    }
    std::vector<BpeSymbol> symbols = SplitIntoSymbols(piece);
    std::function<bool()> drop;
    if (dropout > 0) drop = [dropout] { return Draw(dropout); };
    ApplyMerges(merges_, drop, &symbols);
    size_t at = 0;
    for (const BpeSymbol& symbol : symbols) {
      tokens->push_back(
          {symbol.id, std::string(FindToken(symbol.id).value_or("")), {at, at + symbol.bytes}});
      at += symbol.bytes;
    }
  }

  std::string_view type() const override { return "BPE"; }
  std::string_view word_part_prefix() const override {
    return options_.continuing_subword_prefix ? *options_.continuing_subword_prefix
                                              : std::string_view();
  }
  ModelTables tables() const override { return {.vocab = &vocab(), .merges = &merges_}; }

  Json ToJson() const override {
    Json::Array merges;
    merges.reserve(merges_.by_rank().size());
    for (uint32_t rank = 0; rank < merges_.by_rank().size(); ++rank) {
      const BpeMerge& merge = merges_[rank];
      if (merges_.FindRank(merge.left, merge.right) != rank) continue;
      merges.push_back(
          Json::Arr({FindToken(merge.left).value_or(""), FindToken(merge.right).value_or("")}));
    }
    return Json::Obj({{"type", "BPE"},
                      {"dropout", DropoutJson()},
                      {"unk_token", options_.unk_token},
                      {"continuing_subword_prefix", options_.continuing_subword_prefix},
                      {"end_of_word_suffix", options_.end_of_word_suffix},
                      {"fuse_unk", options_.fuse_unk},
                      {"byte_fallback", options_.byte_fallback},
                      {"ignore_merges", options_.ignore_merges},
                      {"vocab", VocabToJson(vocab())},
                      {"merges", Json(std::move(merges))}});
  }

 private:
  std::vector<BpeSymbol> SplitIntoSymbols(std::string_view piece) const {
    std::vector<BpeSymbol> symbols;
    symbols.reserve(piece.size());
    std::optional<BpeSymbol> unknown;
    std::string text;
    for (size_t start = 0; start < piece.size();) {
      size_t length = std::max<size_t>(Utf8Length(piece.substr(start)), 1);
      text.clear();
      if (start > 0 && options_.continuing_subword_prefix)
        text = *options_.continuing_subword_prefix;
      text += piece.substr(start, length);
      start += length;
      if (start == piece.size() && options_.end_of_word_suffix)
        text += *options_.end_of_word_suffix;
      if (auto id = FindId(text)) {
        if (unknown) symbols.push_back(*unknown);
        unknown.reset();
        symbols.push_back({*id, length});
      } else if (!AppendBytes(text, &symbols) && options_.unk_token) {
        AddUnknown(length, &unknown, &symbols);
      }
    }
    if (unknown) symbols.push_back(*unknown);
    return symbols;
  }

  // All bytes or nothing. A waiting unknown symbol keeps waiting, as in the reference: it then
  // comes after these bytes.
  bool AppendBytes(std::string_view text, std::vector<BpeSymbol>* symbols) const {
    if (!options_.byte_fallback) return false;
    for (unsigned char byte : text) {
      if (!byte_ids_[byte]) return false;
    }
    for (unsigned char byte : text) symbols->push_back({*byte_ids_[byte], 1});
    return true;
  }

  void AddUnknown(size_t bytes, std::optional<BpeSymbol>* unknown,
                  std::vector<BpeSymbol>* symbols) const {
    if (*unknown && options_.fuse_unk) {
      (*unknown)->bytes += bytes;
      return;
    }
    if (*unknown) symbols->push_back(**unknown);
    auto id = FindId(*options_.unk_token);
    if (!id) {
      throw Error(Code::kInvalidArgument,
                  "Unk token `" + *options_.unk_token + "` not found in the vocabulary");
    }
    *unknown = BpeSymbol{*id, bytes};
  }

  // The shortest digits of the float, not of the double it widens to.
  Json DropoutJson() const {
    if (!options_.dropout) return Json();
    char text[32];
    auto written = std::to_chars(text, text + sizeof text, *options_.dropout);
    double value = 0;
    std::from_chars(text, written.ptr, value);
    return Json(value);
  }

  BpeMerges merges_;
  BpeOptions options_;
  ByteTokenIds byte_ids_;
};

[[noreturn]] void BadMerge(size_t line) {
  throw Error(Code::kInvalidArgument, "Merges text file invalid at line " + std::to_string(line));
}

// "a b": exactly one space.
Pair SplitLine(std::string_view line, size_t number) {
  size_t space = line.find(' ');
  if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
    BadMerge(number);
  }
  return {line.substr(0, space), line.substr(space + 1)};
}

// Both forms of a tokenizer.json: ["a b", ...] and [["a", "b"], ...]. All items have the same.
std::vector<Pair> ReadPairs(const Json& json) {
  const Json::Array* items = json.AsArray();
  if (items == nullptr) throw Error(Code::kInvalidArgument, "\"merges\" must be a list");
  std::vector<Pair> pairs;
  pairs.reserve(items->size());
  bool lines = !items->empty() && items->front().is_string();
  for (const Json& item : *items) {
    const Json::Array* pair = item.AsArray();
    const std::string* line = item.AsString();
    if (lines && line != nullptr) {
      if (!line->starts_with("#version")) pairs.push_back(SplitLine(*line, pairs.size() + 1));
    } else if (!lines && pair != nullptr && pair->size() == 2 && (*pair)[0].is_string() &&
               (*pair)[1].is_string()) {
      pairs.emplace_back(*(*pair)[0].AsString(), *(*pair)[1].AsString());
    } else {
      BadMerge(pairs.size() + 1);
    }
  }
  return pairs;
}

BpeMerges MakeMerges(const std::vector<Pair>& pairs, const Vocab& vocab, size_t prefix_bytes) {
  BpeMergeReader reader(vocab, prefix_bytes);
  reader.Reserve(pairs.size());
  for (const auto& [left, right] : pairs) reader.Add(left, right);
  return reader.Finish();
}

std::optional<float> ReadDropout(const Json& json) {
  const Json* field = json.Find("dropout");
  if (field == nullptr || field->is_null()) return std::nullopt;
  if (!field->is_number()) throw Error(Code::kInvalidArgument, "\"dropout\" must be a number");
  auto dropout = static_cast<float>(*field->AsDouble());
  if (!(dropout >= 0 && dropout <= 1)) {
    throw Error(Code::kInvalidArgument, "Dropout should be between 0 and 1, inclusive");
  }
  return dropout;
}

}  // namespace

std::unique_ptr<Model> ParseBpe(const Json& json, ModelParts parts) {
  BpeOptions options;
  options.dropout = ReadDropout(json);
  options.unk_token = json.StringField("unk_token");
  options.continuing_subword_prefix = json.StringField("continuing_subword_prefix");
  options.end_of_word_suffix = json.StringField("end_of_word_suffix");
  options.fuse_unk = json.BoolField("fuse_unk").value_or(false);
  options.byte_fallback = json.BoolField("byte_fallback").value_or(false);
  options.ignore_merges = json.BoolField("ignore_merges").value_or(false);
  Vocab vocab = TakeVocab(json, &parts);
  if (!parts.merges) {
    size_t prefix_bytes = options.continuing_subword_prefix.value_or("").size();
    parts.merges = MakeMerges(ReadPairs(RequireField(json, "merges")), vocab, prefix_bytes);
  }
  return std::make_unique<Bpe>(std::move(vocab), *std::move(parts.merges), std::move(options));
}

}  // namespace hearth::tokenizers

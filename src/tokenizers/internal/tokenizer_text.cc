#include "tokenizers/internal/tokenizer_text.h"

#include <simdjson.h>

#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <string>

#include "base/error.h"
#include "tokenizers/internal/json_scanner.h"

namespace hearth::tokenizers::internal {
namespace {

// What tokens and merges take in a file at least, on average. Only addresses are asked for by it,
// of which those that are not used cost nothing; growing instead would touch all memory twice.
constexpr size_t kBytesPerToken = 12;
constexpr size_t kBytesPerMerge = 12;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), scanner_(text), copied_(text.data()) {}

  // False at what is not plain.
  bool Read() {
    bool whole = scanner_.Members([this](std::string_view key) {
      if (key != "model") return scanner_.SkipValue();
      return ++models_ == 1 && scanner_.Members([this](std::string_view k) { return Member(k); });
    });
    if (!whole || !scanner_.AtEnd()) return false;
    rest_.append(copied_, text_.data() + text_.size());
    return parts_.vocab || parts_.pieces;
  }

  // After Read. Throws Error when it is no JSON after all.
  TokenizerText Finish() { return {Json::Parse(rest_), std::move(parts_)}; }

 private:
  bool Member(std::string_view key) {
    if (key == "vocab") return ++vocabs_ == 1 && Large([this] { return Vocabulary(); });
    if (key == "merges") {
      // Files of other models may have a list of that name as well.
      if (!parts_.vocab || type_ != "BPE") return false;
      return ++merges_ == 1 && Large([this] { return Merges(); });
    }
    if (key == "type") return type_.empty() && Text(&type_) && !type_.empty();
    // An order of members that no writer has: merges depend on the prefix.
    if (key == "continuing_subword_prefix") return merges_ == 0 && Prefix();
    return scanner_.SkipValue();
  }

  // Reads a member, and leaves null in its place.
  template <typename ReadMember>
  bool Large(ReadMember&& read) {
    scanner_.Peek();
    rest_.append(copied_, scanner_.position());
    rest_ += "null";
    if (!read()) return false;
    copied_ = scanner_.position();
    return true;
  }

  bool Text(std::string* out) {
    std::string_view text;
    if (!scanner_.String(&left_buffer_, &text)) return false;
    *out = text;
    return true;
  }

  bool Prefix() {
    if (scanner_.Peek() != '"') return scanner_.SkipValue();
    std::string prefix;
    if (!Text(&prefix)) return false;
    prefix_bytes_ = prefix.size();
    return true;
  }

  size_t Left() const {
    return static_cast<size_t>(text_.data() + text_.size() - scanner_.position());
  }

  bool Vocabulary() {
    // Which form it must have is the model's to say.
    bool list = type_ == "Unigram";
    if (type_.empty()) return false;
    return list ? Pieces() : Tokens();
  }

  bool Tokens() {
    VocabBuilder builder;
    builder.Reserve(Left() / kBytesPerToken, Left() / 2);
    bool read = scanner_.Members([&](std::string_view token) {
      uint64_t id;
      if (!scanner_.Unsigned(&id) || id > std::numeric_limits<uint32_t>::max()) return false;
      builder.Add(token, static_cast<uint32_t>(id));
      return true;
    });
    if (read) parts_.vocab = builder.Build();
    return read;
  }

  bool Pieces() {
    ScoredPiecesBuilder builder;
    builder.Reserve(Left() / kBytesPerToken, Left() / 2);
    std::string_view piece;
    bool read = scanner_.Items([&] {
      double score;
      if (!scanner_.Take('[') || !scanner_.String(&left_buffer_, &piece) || !scanner_.Take(',') ||
          !Score(&score) || !scanner_.Take(']')) {
        return false;
      }
      builder.Add(piece, score);
      return true;
    });
    if (read) parts_.pieces = builder.Build();
    return read;
  }

  bool Score(double* out) {
    bool negative;
    uint64_t digits;
    int64_t exponent;
    if (!scanner_.Decimal(&negative, &digits, &exponent)) return false;
    *out = std::copysign(ScoreFromDecimal(digits, exponent), negative ? -1.0 : 1.0);
    return std::isfinite(*out);
  }

  // ["a b", ...] or [["a", "b"], ...].
  bool Merges() {
    BpeMergeReader reader(*parts_.vocab, prefix_bytes_);
    reader.Reserve(Left() / kBytesPerMerge);
    std::string_view left, right;
    bool pairs = false, lines = false;
    bool read = scanner_.Items([&] {
      if (scanner_.Take('[')) {
        pairs = true;
        if (!scanner_.String(&left_buffer_, &left) || !scanner_.Take(',') ||
            !scanner_.String(&right_buffer_, &right) || !scanner_.Take(']')) {
          return false;
        }
        reader.Add(Kept(left), Kept(right));
        return true;
      }
      lines = true;
      if (!scanner_.String(&left_buffer_, &left)) return false;
      if (left.starts_with("#version")) return true;
      size_t space = OnlySpace(left);
      if (space == std::string_view::npos) return false;
      left = Kept(left);
      reader.Add(left.substr(0, space), left.substr(space + 1));
      return true;
    });
    if (!read || (pairs && lines)) return false;
    parts_.merges = reader.Finish();
    return true;
  }

  // Where the one space of a text is; npos where there is none, or more.
  static size_t OnlySpace(std::string_view text) {
    size_t found = std::string_view::npos;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != ' ') continue;
      if (found != std::string_view::npos) return std::string_view::npos;
      found = i;
    }
    return found;
  }

  // A text that had escapes is in a buffer that the next one takes.
  std::string_view Kept(std::string_view text) {
    bool in_file = !std::less<>()(text.data(), text_.data()) &&
                   std::less<>()(text.data(), text_.data() + text_.size());
    return in_file ? text : std::string_view(escaped_.emplace_back(text));
  }

  std::string_view text_;
  JsonScanner scanner_;
  const char* copied_;  // up to here the text is in rest_
  std::string rest_;
  std::string type_;
  size_t prefix_bytes_ = 0;
  int models_ = 0, vocabs_ = 0, merges_ = 0;
  ModelParts parts_;
  std::string left_buffer_, right_buffer_;
  std::deque<std::string> escaped_;
};

}  // namespace

std::optional<TokenizerText> ReadTokenizerText(std::string_view json) {
  if (!simdjson::validate_utf8(json.data(), json.size())) return std::nullopt;
  Reader reader(json);
  try {
    if (!reader.Read()) return std::nullopt;
    return reader.Finish();
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace hearth::tokenizers::internal

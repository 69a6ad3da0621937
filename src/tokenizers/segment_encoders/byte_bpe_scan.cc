#include "tokenizers/segment_encoders/byte_bpe_scan.h"

#include <bit>
#include <cstring>

#include "text/utf8.h"

namespace hearth::tokenizers {
namespace {

// Reads JSON from the front; every function is false (or a null value) at what is not well formed.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : p_(text.data()), end_(text.data() + text.size()) {}

  const char* position() const { return p_; }

  void SkipSpace() {
    while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
  }
  bool Take(char c) {
    SkipSpace();
    if (p_ == end_ || *p_ != c) return false;
    ++p_;
    return true;
  }
  bool AtEnd() {
    SkipSpace();
    return p_ == end_;
  }

  // A string; `*out` is a view of the text, or of `buffer` when there are escapes.
  bool String(std::string* buffer, std::string_view* out) {
    if (!Take('"')) return false;
    const char* begin = p_;
    if (!ToQuote()) return false;
    if (*p_ == '"') {
      *out = {begin, static_cast<size_t>(p_++ - begin)};
      return true;
    }
    buffer->assign(begin, p_);
    while (p_ != end_ && *p_ != '"') {
      if (*p_ != '\\') {
        buffer->push_back(*p_++);
      } else if (!Escape(buffer)) {
        return false;
      }
    }
    if (p_ == end_) return false;
    ++p_;
    *out = *buffer;
    return true;
  }

  bool Number(uint64_t* out) {
    SkipSpace();
    const char* begin = p_;
    uint64_t value = 0;
    while (p_ != end_ && *p_ >= '0' && *p_ <= '9' && p_ - begin < 18) {
      value = value * 10 + static_cast<uint64_t>(*p_++ - '0');
    }
    *out = value;
    bool whole = p_ == end_ || *p_ == ',' || *p_ == '}' || *p_ == ' ' || *p_ == '\n' || *p_ == '\r';
    return p_ != begin && whole;
  }

  // Any value, unread.
  bool SkipValue() {
    SkipSpace();
    int depth = 0;
    const char* begin = p_;
    while (p_ != end_) {
      char c = *p_;
      if (c == '"') {
        if (!SkipString()) return false;
        if (depth == 0) return true;
        continue;
      }
      if (c == ' ') {
        ++p_;
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') {
        if (depth == 0) return p_ != begin;  // a scalar ends before it
        if (--depth == 0) {
          ++p_;
          return true;
        }
      }
      if (depth == 0 && c == ',') return p_ != begin;
      ++p_;
    }
    return false;
  }

 private:
  bool SkipString() {
    for (++p_; ToQuote(); p_ += 2) {
      if (*p_ == '"') return ++p_ != nullptr;
      if (end_ - p_ < 2) break;
    }
    return false;
  }

  // To the next quote or backslash; false when there is none.
  bool ToQuote() {
    constexpr uint64_t kOnes = 0x0101010101010101u, kHighs = 0x8080808080808080u;
    auto zeros = [](uint64_t word) { return (word - kOnes) & ~word & kHighs; };
    for (; end_ - p_ >= 8; p_ += 8) {
      uint64_t word;
      std::memcpy(&word, p_, 8);
      uint64_t found = zeros(word ^ kOnes * '"') | zeros(word ^ kOnes * '\\');
      if (found == 0) continue;
      p_ += std::countr_zero(found) / 8;  // the lowest mark is exact
      return true;
    }
    while (p_ != end_ && *p_ != '"' && *p_ != '\\') ++p_;
    return p_ != end_;
  }

  bool Hex(uint32_t* out) {
    if (end_ - p_ < 4) return false;
    *out = 0;
    for (int i = 0; i < 4; ++i, ++p_) {
      char c = static_cast<char>(*p_ | 0x20);
      int digit = *p_ >= '0' && *p_ <= '9' ? *p_ - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      if (digit < 0) return false;
      *out = *out << 4 | static_cast<uint32_t>(digit);
    }
    return true;
  }

  bool Escape(std::string* buffer) {
    if (end_ - p_ < 2) return false;
    char c = p_[1];
    p_ += 2;
    static constexpr std::string_view kNames = "\"\\/bfnrt", kValues = "\"\\/\b\f\n\r\t";
    if (size_t at = kNames.find(c); at != std::string_view::npos) {
      buffer->push_back(kValues[at]);
      return true;
    }
    uint32_t code;
    if (c != 'u' || !Hex(&code)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      uint32_t low;
      if (end_ - p_ < 2 || p_[0] != '\\' || p_[1] != 'u') return false;
      p_ += 2;
      if (!Hex(&low) || low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
      return false;
    }
    AppendUtf8(code, buffer);
    return true;
  }

  const char* p_;
  const char* end_;
};

// Calls visit(key) before each value, which it must read. False at what is not an object.
template <typename Visit>
bool Members(Scanner& scanner, Visit&& visit) {
  if (!scanner.Take('{')) return false;
  if (scanner.Take('}')) return true;
  std::string buffer;
  std::string_view key;
  do {
    if (!scanner.String(&buffer, &key) || !scanner.Take(':') || !visit(key)) return false;
  } while (scanner.Take(','));
  return scanner.Take('}');
}

}  // namespace

std::optional<TokenizerJsonParts> CutTokenizerJson(std::string_view json) {
  Scanner scanner(json);
  TokenizerJsonParts parts;
  int models = 0, vocabs = 0, merges = 0;
  auto span = [&](std::string_view* out) {
    scanner.SkipSpace();
    const char* begin = scanner.position();
    if (!scanner.SkipValue()) return false;
    *out = {begin, static_cast<size_t>(scanner.position() - begin)};
    return true;
  };
  bool whole = Members(scanner, [&](std::string_view key) {
    if (key != "model") return scanner.SkipValue();
    ++models;
    return Members(scanner, [&](std::string_view inner) {
      if (inner == "vocab") return ++vocabs == 1 && span(&parts.vocab);
      if (inner == "merges") return ++merges == 1 && span(&parts.merges);
      return scanner.SkipValue();
    });
  });
  if (!whole || !scanner.AtEnd() || models != 1 || vocabs != 1 || merges != 1) return std::nullopt;
  if (parts.vocab.front() != '{' || parts.merges.front() != '[') return std::nullopt;
  bool vocab_first = parts.vocab.data() < parts.merges.data();
  std::string_view first = vocab_first ? parts.vocab : parts.merges;
  std::string_view second = vocab_first ? parts.merges : parts.vocab;
  parts.rest.append(json.data(), first.data());
  parts.rest += vocab_first ? "{}" : "[]";
  parts.rest.append(first.data() + first.size(), second.data());
  parts.rest += vocab_first ? "[]" : "{}";
  parts.rest.append(second.data() + second.size(), json.data() + json.size());
  return parts;
}

bool ForEachToken(std::string_view vocab,
                  const std::function<void(std::string_view, uint64_t)>& visit) {
  Scanner scanner(vocab);
  return Members(scanner, [&](std::string_view token) {
    uint64_t id;
    if (!scanner.Number(&id)) return false;
    visit(token, id);
    return true;
  });
}

bool ForEachMerge(std::string_view merges,
                  const std::function<void(std::string_view, std::string_view)>& visit) {
  Scanner scanner(merges);
  if (!scanner.Take('[')) return false;
  if (scanner.Take(']')) return true;
  std::string left_buffer, right_buffer;
  std::string_view left, right;
  do {
    if (scanner.Take('[')) {
      if (!scanner.String(&left_buffer, &left) || !scanner.Take(',') ||
          !scanner.String(&right_buffer, &right) || !scanner.Take(']')) {
        return false;
      }
      visit(left, right);
    } else {
      if (!scanner.String(&left_buffer, &left)) return false;
      size_t space = left.find(' ');
      if (space == std::string_view::npos || left.find(' ', space + 1) != std::string_view::npos) {
        return false;
      }
      visit(left.substr(0, space), left.substr(space + 1));
    }
  } while (scanner.Take(','));
  return scanner.Take(']');
}

}  // namespace hearth::tokenizers

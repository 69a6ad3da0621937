// Reads JSON text from the front without making values, for the members of a tokenizer.json that
// have a million strings. Strict: what RFC 8259 does not allow ends the scan. Every function is
// false at what is not there or not well formed, and then the position is of no use. UTF-8 is not
// checked here.
//
// Views that come out are of the text, or of the caller's buffer where a string has escapes.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "text/utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace hearth::tokenizers::internal {

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : p_(text.data()), end_(text.data() + text.size()) {}

  const char* position() const { return p_; }

  // The next character that is not white space; '\0' at the end.
  char Peek() {
    SkipSpace();
    return p_ == end_ ? '\0' : *p_;
  }
  bool Take(char c) {
    if (p_ != end_ && *p_ == c) [[likely]] {
      ++p_;
      return true;
    }
    if (Peek() != c || p_ == end_) return false;
    ++p_;
    return true;
  }
  bool AtEnd() {
    SkipSpace();
    return p_ == end_;
  }

  bool String(std::string* buffer, std::string_view* out) {
    if (!Take('"')) return false;
    const char* begin = p_;
    ToSpecial();
    if (p_ == end_) return false;
    if (*p_ == '"') [[likely]] {
      *out = {begin, static_cast<size_t>(p_++ - begin)};
      return true;
    }
    return Escaped(begin, buffer, out);
  }

  // Digits without a sign, fraction or exponent; at most 18 of them.
  bool Unsigned(uint64_t* out) {
    SkipSpace();
    const char* begin = p_;
    uint64_t value = 0;
    while (p_ != end_ && IsDigit(*p_) && p_ - begin < 18) {
      value = value * 10 + static_cast<uint64_t>(*p_++ - '0');
    }
    *out = value;
    return p_ != begin && (*begin != '0' || p_ - begin == 1) && AtValueEnd();
  }

  // Any number of at most 19 significant digits: sign, digits, exponent of ten.
  bool Decimal(bool* negative, uint64_t* digits, int64_t* exponent) {
    SkipSpace();
    *negative = p_ != end_ && *p_ == '-';
    if (*negative) ++p_;
    const char* begin = p_;
    *digits = 0;
    *exponent = 0;
    int count = 0;
    auto take_digits = [&](bool fraction) {
      const char* first = p_;
      for (; p_ != end_ && IsDigit(*p_); ++p_) {
        *digits = *digits * 10 + static_cast<uint64_t>(*p_ - '0');
        count += count > 0 || *p_ != '0' ? 1 : 0;
        *exponent -= fraction ? 1 : 0;
        if (count > 19) return false;
      }
      return p_ != first;
    };
    if (!take_digits(false) || (*begin == '0' && p_ - begin > 1)) return false;
    if (p_ != end_ && *p_ == '.') {
      ++p_;
      if (!take_digits(true)) return false;
    }
    return TakeExponent(exponent) && AtValueEnd();
  }

  // Any value, unread. Strings are not looked into: the caller parses what was skipped.
  bool SkipValue() {
    SkipSpace();
    size_t depth = 0;
    const char* begin = p_;
    while (p_ != end_) {
      char c = *p_;
      if (c == '"') {
        if (!SkipString()) return false;
        if (depth == 0) return true;
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

  // Calls visit(key) before each value of an object, which it must read; false when it is.
  template <typename Visit>
  bool Members(Visit&& visit) {
    if (!Take('{')) return false;
    if (Take('}')) return true;
    std::string buffer;
    std::string_view key;
    do {
      if (!String(&buffer, &key) || !Take(':') || !visit(key)) return false;
    } while (Take(','));
    return Take('}');
  }

  // The same before each item of a list.
  template <typename Visit>
  bool Items(Visit&& visit) {
    if (!Take('[')) return false;
    if (Take(']')) return true;
    do {
      if (!visit()) return false;
    } while (Take(','));
    return Take(']');
  }

 private:
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }

  void SkipSpace() {
    while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
  }
  bool AtValueEnd() const {
    return p_ == end_ || *p_ == ',' || *p_ == '}' || *p_ == ']' || *p_ == ' ' || *p_ == '\n' ||
           *p_ == '\r' || *p_ == '\t';
  }

  // To the next quote, backslash or control character, or the end.
  void ToSpecial() {
#if defined(__SSE2__)
    for (; end_ - p_ >= 16; p_ += 16) {
      __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p_));
      __m128i found = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                                   _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
      found = _mm_or_si128(found, _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block));
      auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
      if (mask == 0) continue;
      p_ += std::countr_zero(mask);
      return;
    }
#endif
    while (p_ != end_ && *p_ != '"' && *p_ != '\\' && static_cast<unsigned char>(*p_) >= 0x20) ++p_;
  }

  bool SkipString() {
    for (++p_; ToSpecial(), p_ != end_;) {
      if (*p_ == '"') return ++p_ != nullptr;
      p_ += *p_ == '\\' ? 2 : 1;
      if (p_ > end_) p_ = end_;
    }
    return false;
  }

  bool TakeExponent(int64_t* exponent) {
    if (p_ == end_ || (*p_ != 'e' && *p_ != 'E')) return true;
    ++p_;
    bool negative = p_ != end_ && *p_ == '-';
    if (p_ != end_ && (*p_ == '-' || *p_ == '+')) ++p_;
    const char* begin = p_;
    int64_t value = 0;
    for (; p_ != end_ && IsDigit(*p_) && p_ - begin < 6; ++p_) value = value * 10 + (*p_ - '0');
    *exponent += negative ? -value : value;
    return p_ != begin;
  }

  [[gnu::noinline]] bool Escaped(const char* begin, std::string* buffer, std::string_view* out) {
    buffer->assign(begin, p_);
    while (p_ != end_ && *p_ != '"') {
      if (*p_ == '\\') {
        if (!Escape(buffer)) return false;
        continue;
      }
      const char* from = p_;
      ToSpecial();
      if (p_ == from) return false;  // a control character
      buffer->append(from, p_);
    }
    if (p_ == end_) return false;
    ++p_;
    *out = *buffer;
    return true;
  }

  bool Hex(uint32_t* out) {
    if (end_ - p_ < 4) return false;
    *out = 0;
    for (int i = 0; i < 4; ++i, ++p_) {
      char c = static_cast<char>(*p_ | 0x20);
      int digit = IsDigit(*p_) ? *p_ - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
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

}  // namespace hearth::tokenizers::internal

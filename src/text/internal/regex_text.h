// A text as the matcher reads it: UTF-8 in which each byte that begins no well-formed character is
// one U+FFFD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hearth::regex_internal {

struct Decoded {
  char32_t c;
  uint32_t length;
};

inline bool IsContinuation(unsigned char c) { return (c & 0xC0) == 0x80; }

// The character that begins at `at`, which is before the end.
inline Decoded DecodeAt(std::string_view text, size_t at) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data()) + at;
  size_t left = text.size() - at;
  char32_t lead = p[0];
  if (lead < 0x80) return {lead, 1};
  if (lead >= 0xC2 && lead < 0xE0 && left >= 2 && IsContinuation(p[1])) {
    return {((lead & 0x1F) << 6) | (p[1] & 0x3Fu), 2};
  }
  if (lead >= 0xE0 && lead < 0xF0 && left >= 3 && IsContinuation(p[1]) && IsContinuation(p[2])) {
    char32_t c = ((lead & 0x0F) << 12) | ((p[1] & 0x3Fu) << 6) | (p[2] & 0x3Fu);
    if (c >= 0x800 && !(c >= 0xD800 && c < 0xE000)) return {c, 3};
  }
  if (lead >= 0xF0 && lead < 0xF5 && left >= 4 && IsContinuation(p[1]) && IsContinuation(p[2]) &&
      IsContinuation(p[3])) {
    char32_t c =
        ((lead & 0x07) << 18) | ((p[1] & 0x3Fu) << 12) | ((p[2] & 0x3Fu) << 6) | (p[3] & 0x3Fu);
    if (c >= 0x10000 && c <= 0x10FFFF) return {c, 4};
  }
  return {0xFFFD, 1};
}

// Where the character before `at`, which is above 0, begins.
inline size_t StepBack(std::string_view text, size_t at) {
  size_t back = at - 1;
  if (static_cast<unsigned char>(text[back]) < 0x80) return back;
  for (size_t length = 2; length <= 4 && length <= at; ++length) {
    if (IsContinuation(static_cast<unsigned char>(text[at - length]))) continue;
    if (DecodeAt(text, at - length).length == length) return at - length;
    break;
  }
  return back;
}

}  // namespace hearth::regex_internal

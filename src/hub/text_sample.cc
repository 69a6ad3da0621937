#include <cstdint>

#include "hub/commits.h"

namespace hearth::hub {
namespace {

// Length of the well-formed UTF-8 sequence at `at`; 0 = ill-formed; a sequence cut by the end of
// the text counts as whole, because samples end anywhere.
size_t SequenceLength(std::string_view text, size_t at) {
  auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return 1;
  size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                  : lead >= 0xE0 && lead < 0xF0 ? 3
                  : lead >= 0xF0 && lead < 0xF5 ? 4
                                                : 0;
  for (size_t i = 1; i < length; ++i) {
    if (at + i >= text.size()) return i;
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// Control characters that text files do not hold (tab, line ends, form feed, backspace, escape do).
bool IsOddControl(unsigned char c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\v' && c != '\b' &&
          c != 0x1B) ||
         c == 0x7F;
}

}  // namespace

// UTF-8 text may hold a few control characters (\x01 as a column separator is in use). Other bytes
// above 0x7F are an 8-bit encoding, which is text, unless control characters come with them.
bool LooksBinary(std::string_view sample) {
  size_t odd = 0;
  bool utf8 = true;
  for (size_t i = 0; i < sample.size();) {
    auto c = static_cast<unsigned char>(sample[i]);
    if (c == 0) return true;
    if (IsOddControl(c)) ++odd;
    size_t length = SequenceLength(sample, i);
    if (length == 0) utf8 = false;
    i += length == 0 ? 1 : length;
  }
  return utf8 ? odd * 10 > sample.size() : odd > 0;
}

}  // namespace hearth::hub

// Classes of a block that is not all ASCII, for the vector tiers.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "tokenizers/segment_encoders/byte_bpe_walk.h"

namespace hearth::tokenizers {

// Writes to `kinds` (room for 68) the class of each character of several bytes over all of them,
// and returns how many of the `size` bytes are whole characters. `leads`: bytes from 0xC0 on.
// Reads at most 3 bytes behind p[size - 1]: `p` is a padded copy where the text ends sooner.
[[gnu::always_inline]] inline int ClassifyWide(const uint8_t* p, int size, uint64_t leads,
                                               const ByteBpeClasses& classes, uint8_t* kinds) {
  int whole = size;
  for (; leads != 0; leads &= leads - 1) {
    int i = std::countr_zero(leads);
    uint32_t kind;
    const uint8_t* q = p + i;
    int length;
    if (q[0] < 0xE0) {
      kind = classes.Of((q[0] & 0x1Fu) << 6 | (q[1] & 0x3Fu));
      length = 2;
    } else if (q[0] < 0xF0) {
      kind = classes.Of((q[0] & 0x0Fu) << 12 | (q[1] & 0x3Fu) << 6 | (q[2] & 0x3Fu));
      length = 3;
    } else {
      kind = classes.Of(DecodeUtf8(q, 4));
      length = 4;
    }
    if (i + length > size && i > 0) {
      whole = i;
      break;
    }
    kind *= 0x01010101u;
    std::memcpy(kinds + i, &kind, 4);
  }
  return whole;
}

}  // namespace hearth::tokenizers

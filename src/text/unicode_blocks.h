// Stretches of code points of which nothing is to be said, for those who make tables over all of
// Unicode: five sixths of it.
#pragma once

#include "text/unicode.h"

namespace hearth {

constexpr char32_t kUnicodeBlock = 2048;

// Whether none of the code points from `first`, a multiple of kUnicodeBlock, up to the next one has
// a property of text/unicode.h, a decomposition or a lower case. Ranges that are not tables
// (IsChineseCharacter) are not asked. Not always true where it could be.
inline bool IsUnassignedBlock(char32_t first) {
  using namespace unicode_internal;                    // NOLINT: the table's layout
  constexpr char32_t kUnassigned = 0x50000;            // in a plane without characters
  constexpr unsigned kBits = kLeafBits + kMiddleBits;  // equal blocks are there once
  static_assert(kUnicodeBlock == 1u << kBits);
  return kClassTrie.top[first >> kBits] == kClassTrie.top[kUnassigned >> kBits] &&
         FlagsOf(kUnassigned) == 0;
}

}  // namespace hearth

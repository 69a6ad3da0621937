// Characters as terms have them, and what kind of writing they belong to. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace hearth::search {

enum class CharKind : uint8_t {
  kBreak,   // between words
  kWord,    // of scripts with spaces between words
  kPaired,  // of scripts without: pairs of characters are terms
  kMark     // combining: belongs to the character before it
};
CharKind KindOf(char32_t c);

// At most four characters; none when the character vanishes.
struct Folded {
  char32_t c[4] = {};
  uint8_t count = 0;
};
const Folded& Fold(char32_t c, Folded* scratch);

}  // namespace hearth::search

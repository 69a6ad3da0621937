// Words that a misspelt one may stand for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "search/segment.h"

namespace hearth::search {

// Edits that a word of so many characters is allowed: short words are near too many others.
size_t EditsFor(size_t characters);

// Number of insertions, deletions, replacements and swaps of neighbours that make one word of the
// other (each place edited once: optimal string alignment); more than `limit` gives limit + 1.
size_t EditDistance(std::u32string_view a, std::u32string_view b, size_t limit);

std::u32string ToCodePoints(std::string_view text);

struct NearTerm {
  TermEntry entry;
  size_t edits;
};
// Terms of the segment within `edits` (at least 1) of the word, the word itself left out; the
// nearest first, then the most frequent, at most `most`.
std::vector<NearTerm> FindNear(const Segment& segment, std::u32string_view word, size_t edits,
                               size_t most);

}  // namespace hearth::search

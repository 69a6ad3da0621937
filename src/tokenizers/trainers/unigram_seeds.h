// The pieces that Unigram training starts from: every character, and every substring of the words
// that occurs twice or more and is not always followed by the same character (the inner nodes of
// the words' suffix tree), best first by occurrences x length.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::tokenizers {

using CountedWord = std::pair<std::string_view, uint32_t>;
using ScoredSeed = std::pair<std::string, double>;

struct SeedLimits {
  size_t max_piece_length = 16;  // characters
  size_t max_seeds = 1'000'000;  // characters are kept in any case
};

// Scores are counts. O(n log n x length) in the characters of all words; 8 bytes a character.
std::vector<ScoredSeed> FindSeeds(const std::vector<CountedWord>& words, const SeedLimits& limits);

}  // namespace hearth::tokenizers

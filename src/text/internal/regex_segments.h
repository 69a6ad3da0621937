// The clusters of \X. Oniguruma's \X is one character and then all that no boundary separates from
// it (UAX 29 without Indic conjuncts), where whether there is a boundary depends on the whole text
// before it: behind a regional indicator of a pair, \X takes the other one alone. It need not begin
// at a boundary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hearth::regex_internal {

// Borrows the text. Not thread-safe: it remembers the last run of regional indicators, so that a
// walk over a long one takes linear time.
class TextSegments {
 public:
  explicit TextSegments(std::string_view text) : text_(text) {}

  // Where the cluster that is begun at `at`, which is before the end, ends. Adds the characters
  // that had to be looked at.
  size_t End(size_t at, uint64_t* looked_at);

 private:
  // A pictograph and then Extend characters only lie before the joiner that begins at `at`.
  bool IsJoinerOfPictographs(size_t at, uint64_t* looked_at) const;
  // The number of regional indicators that end at `at`, one behind the other, is odd.
  bool IsInsidePair(size_t at, uint64_t* looked_at);

  std::string_view text_;
  size_t indicators_end_ = SIZE_MAX;  // of a run that was counted
  bool indicators_odd_ = false;
};

}  // namespace hearth::regex_internal

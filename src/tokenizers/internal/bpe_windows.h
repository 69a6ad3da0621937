// Byte pair encoding of a long word in windows: linear time, and all memory near.
//
// A step of the encoding merges the adjacent pair of lowest rank, of equal ones the leftmost. Two
// things follow. (1) Where no step ever merges across a place s of a text, the steps before s and
// those behind it are the steps of the two parts encoded alone, for the lowest pair of the whole is
// the lowest of its part: so the tokens of the text are those of its parts. (2) Whether a step
// merges across s depends only on the last token before s and the first behind it, each part
// encoded alone. Until the first such step the parts take their own steps, which never cross the
// outer ends of these two tokens; so the steps within the two are those of the two encoded as a
// text of their own, up to the step that crosses or to the end.
//
// So the tokens of a prefix are carried on thus: go back to some boundary s, encode a window from
// there on, and if its first token is the one that stood there, the boundary holds in the longer
// text too. If not, go back further, twice as far each time, with a window that doubles as well.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hearth::tokenizers::internal {

struct BpeToken {
  uint32_t id;
  uint32_t begin;  // the first of its symbols
};

// Replaces `*tokens` by those of `count` symbols (below 2^32). `merge(begin, end, out)` appends the
// tokens of a range of symbols encoded alone. Windows have `window` symbols or, where tokens are
// longer, more. `fresh` is a buffer of the caller's.
template <typename Merge>
void MergeByWindows(size_t count, size_t window, std::vector<BpeToken>* tokens,
                    std::vector<BpeToken>* fresh, Merge&& merge) {
  // Several tokens of text: few windows must be done again.
  const size_t least_overlap = std::min<size_t>(24, window / 2);
  size_t overlap = least_overlap;
  size_t end = 0;
  tokens->clear();
  while (end < count) {
    size_t kept = tokens->size();
    if (kept > 0) --kept;
    while (kept > 0 && (*tokens)[kept].begin + overlap > end) --kept;
    const size_t begin = tokens->empty() ? 0 : (*tokens)[kept].begin;
    const size_t stop = std::min(count, begin + std::max(window, 2 * (end - begin)));
    fresh->clear();
    merge(begin, stop, fresh);
    if (begin > 0 && fresh->front().id != (*tokens)[kept].id) {
      overlap = std::max(overlap * 2, end - begin + 1);
      continue;
    }
    tokens->resize(kept);
    tokens->insert(tokens->end(), fresh->begin(), fresh->end());
    end = stop;
    overlap = least_overlap;
  }
}

}  // namespace hearth::tokenizers::internal

// The merges of a BPE model and how they are applied to a word.
//
// A merge joins two neighbouring symbols into one; the merge of lowest rank goes first, the
// leftmost of equal rank before the others. Linear in the symbols of a word, also for a word of a
// megabyte; with dropout a heap: O(n log n). Immutable after the last Add; safe for concurrent use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace hearth::tokenizers {

struct BpeMerge {
  uint32_t left = 0;
  uint32_t right = 0;
  uint32_t rank = 0;
  uint32_t new_id = 0;
};

class BpeMerges {
 public:
  explicit BpeMerges(size_t expected);

  // A pair added again takes the new rank and id.
  void Add(const BpeMerge& merge);
  const BpeMerge* Find(uint32_t left, uint32_t right) const;
  size_t size() const { return merges_.size(); }
  std::vector<BpeMerge> SortedByRank() const;

 private:
  size_t FindSlot(uint32_t left, uint32_t right) const;
  void Grow();

  std::vector<BpeMerge> merges_;
  std::vector<uint32_t> slots_;  // index + 1; 0 is empty; at most half full
};

struct BpeSymbol {
  uint32_t id = 0;
  size_t bytes = 0;
};

// Merges in place. `drop` (may be empty) is asked before each merge and makes it wait when true
// (BPE dropout).
void ApplyMerges(const BpeMerges& merges, const std::function<bool()>& drop,
                 std::vector<BpeSymbol>* symbols);

}  // namespace hearth::tokenizers

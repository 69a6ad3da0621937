// The merges of a BPE model and how they are applied to a word.
//
// A merge joins two neighbouring symbols into one; the merge of lowest rank goes first, the
// leftmost of equal rank before the others. Applied with a heap: O(n log n) in the symbols of a
// word, also for a word of a megabyte.
//
// Immutable, safe for concurrent use; copies share everything. The rules are a flat list by rank,
// which other layouts of the same merges (segment encoders, files) read; the index by pair is made
// when a pair is first looked for, and a list in a file is read when it is first needed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/internal/page_memory.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {

// The rank is the place in the list.
struct BpeMerge {
  uint32_t left = 0;
  uint32_t right = 0;
  uint32_t new_id = 0;
};

class BpeMerges {
 public:
  // Of a pair that is given twice the later rank counts.
  BpeMerges() : BpeMerges(internal::PageVector<BpeMerge>()) {}
  explicit BpeMerges(internal::PageVector<BpeMerge> by_rank);
  struct List {
    std::span<const BpeMerge> by_rank;
    std::shared_ptr<const void> owner;  // keeps the memory
  };
  // Called once, by whatever needs the merges first. What it throws is thrown there, and the next
  // one calls it again.
  explicit BpeMerges(std::function<List()> load);

  // The rank of a pair that merges. O(1); throws what loading throws.
  std::optional<uint32_t> FindRank(uint32_t left, uint32_t right) const;
  const BpeMerge& operator[](uint32_t rank) const { return by_rank()[rank]; }
  // All that were given, also those whose pair has a later rank.
  std::span<const BpeMerge> by_rank() const;

 private:
  struct Shared;

  std::shared_ptr<Shared> shared_;
};

// Reads merges that come as the texts of two tokens, in the order of their ranks. What they join to
// must be a token too: the left text and the right one without `prefix_bytes` at its start.
// Look-ups are spread over several merges at a time, so errors may come some calls late, but in
// order. Not thread-safe; `vocab` and the texts must outlive it.
class BpeMergeReader {
 public:
  BpeMergeReader(const Vocab& vocab, size_t prefix_bytes)
      : vocab_(vocab), prefix_bytes_(prefix_bytes) {}

  void Reserve(size_t merges) { merges_.reserve(merges); }
  // Both throw Error{kInvalidArgument} for a text that is no token.
  void Add(std::string_view left, std::string_view right);
  BpeMerges Finish();

 private:
  struct Part {
    std::string_view text;
    uint64_t hash = 0;
    uint32_t position = 0;  // a guess
  };
  // A merge whose tokens' memory was asked for and is looked at some merges later.
  struct Waiting {
    Part left, right;
  };
  static constexpr size_t kWaiting = 64;

  void LookUp();
  uint32_t Position(const Part& part) const;
  uint32_t PositionOfJoined(std::string_view left, std::string_view right);

  const Vocab& vocab_;
  size_t prefix_bytes_;
  std::string joined_;
  std::array<Waiting, kWaiting> waiting_;
  size_t waiting_count_ = 0;
  uint32_t last_joined_ = 0;
  internal::PageVector<BpeMerge> merges_;
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

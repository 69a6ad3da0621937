// The merges of one piece that is no whole token: the reference's result, without its heap where a
// piece is short.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizers/internal/bpe_windows.h"
#include "tokenizers/segment_encoders/byte_bpe_plan.h"

namespace hearth::tokenizers {

// Lowest (rank, position) of the symbols by scanning: up to 64 symbols fit a mask of the living
// ones, and scanning 64 numbers costs less than keeping a heap.
constexpr size_t kByteBpeShortPiece = 64;

// The ranks of the pairs that a thread asked for last. A pair of the plan shares its cache line
// with seven others, mostly rare ones: what is common fits level 2 only here.
class ByteBpePairMemo {
 public:
  ByteBpePairMemo() { std::fill(slots_.begin(), slots_.end(), ByteBpePlan::kEmptyPair); }
  // As a slot of the plan, with 0xFFFFFF for no rank; whatever pair was there last.
  uint64_t& Slot(uint64_t key) { return slots_[(key * 0x9E3779B97F4A7C15u) >> (64 - kBits)]; }

 private:
  static constexpr int kBits = 14;
  std::vector<uint64_t> slots_ = std::vector<uint64_t>(size_t{1} << kBits);
};

// What a tier brings: how a line of pairs is searched, and an array of 16, 32 or 64 numbers that
// can be changed one at a time and asked for its smallest.
struct PortableMerging {
  // Find: the index of the slot whose upper 40 bits are `key`, 8 when there is none.
  struct PairLine {
    static int Find(const uint64_t* slots, uint64_t key) {
      for (int i = 0; i < ByteBpePlan::kPairsPerLine; ++i) {
        if (slots[i] >> 24 == key) return i;
        if (slots[i] == ByteBpePlan::kEmptyPair) break;
      }
      return ByteBpePlan::kPairsPerLine;
    }
  };

  template <size_t kRoom>
  class Order {
   public:
    explicit Order(const uint32_t* values) { std::copy(values, values + kRoom, values_); }
    uint32_t Least() const {
      uint32_t least = values_[0];
      for (size_t i = 1; i < kRoom; ++i) least = std::min(least, values_[i]);
      return least;
    }
    void Set(size_t at, uint32_t value) { values_[at] = value; }

   private:
    uint32_t values_[kRoom];
  };
};

// 1 to 64 bytes; `ids` has room for as many. Returns the bytes at which tokens begin, one bit each.
// One function per tier, from byte_bpe_short_merge.inc.
using ByteBpeMergeFunction = uint64_t (*)(const ByteBpePlan& plan, ByteBpePairMemo& memo,
                                          const uint8_t* piece, size_t n, uint32_t* ids);
uint64_t MergeByteBpePortable(const ByteBpePlan& plan, ByteBpePairMemo& memo, const uint8_t* piece,
                              size_t n, uint32_t* ids);
#if defined(__x86_64__)
uint64_t MergeByteBpeAvx2(const ByteBpePlan& plan, ByteBpePairMemo& memo, const uint8_t* piece,
                          size_t n, uint32_t* ids);
uint64_t MergeByteBpeAvx512(const ByteBpePlan& plan, ByteBpePairMemo& memo, const uint8_t* piece,
                            size_t n, uint32_t* ids);
#endif
// Of the best tier.
ByteBpeMergeFunction ByteBpeMerge();

// Pieces of any length (below 2^32 bytes), in linear time: by windows of 64 bytes, or where tokens
// are so long that windows must grow, through a heap of (rank, position).
class LongPieceMerger {
 public:
  // Appends the ids of the piece. `merge` is the tier's.
  void Merge(const ByteBpePlan& plan, ByteBpePairMemo& memo, ByteBpeMergeFunction merge,
             std::basic_string_view<uint8_t> piece, std::vector<uint32_t>* ids);

 private:
  struct Symbol {
    uint32_t id;
    uint32_t size;  // bytes; 0: merged into one before it
    uint32_t previous_size;
  };

  void Push(uint32_t rank, size_t at);
  uint64_t Pop();
  // Leaves the tokens in symbols_.
  void MergeByHeap(const ByteBpePlan& plan, ByteBpePairMemo& memo, const uint8_t* piece, size_t n);

  std::vector<Symbol> symbols_;
  std::vector<uint64_t> heap_;  // rank << 32 | position, smallest first, four children each
  std::vector<internal::BpeToken> tokens_, fresh_;
};

}  // namespace hearth::tokenizers

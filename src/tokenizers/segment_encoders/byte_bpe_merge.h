// The merges of one piece that is no whole token: the reference's result, without its heap where a
// piece is short.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "tokenizers/segment_encoders/byte_bpe_plan.h"

namespace hearth::tokenizers {

// Lowest (rank, position) of the symbols by scanning: up to 64 symbols fit a mask of the living
// ones, and scanning 64 numbers costs less than keeping a heap.
constexpr size_t kByteBpeShortPiece = 64;

// The smallest of n numbers, n rounded up to the vector by padding with kNoRank; `values` has room
// for kByteBpeShortPiece.
struct PortableMinimum {
  static uint32_t Of(const uint32_t* values, size_t n) {
    uint32_t least = values[0];
    for (size_t i = 1; i < n; ++i) least = std::min(least, values[i]);
    return least;
  }
};

// Writes the ids of 1 to 64 bytes to `ids` (room for 64) and returns how many.
template <typename Minimum>
size_t MergeShortPiece(const ByteBpePlan& plan, const uint8_t* piece, size_t n, uint32_t* ids) {
  // rank << 6 | position would lose ranks of 26 bits and more; they have 24.
  alignas(64) uint32_t order[kByteBpeShortPiece];
  uint32_t symbols[kByteBpeShortPiece];
  static_assert(ByteBpePlan::kMaxRank < (1u << 26));
  constexpr uint32_t kNone = 0xFFFFFFFF;
  auto ranked = [](uint32_t rank, size_t at) {
    return rank == ByteBpePlan::kNoRank ? kNone : rank << 6 | static_cast<uint32_t>(at);
  };
  for (size_t i = 0; i + 1 < n; ++i) {
    order[i] = ranked(plan.BytePairRank(piece[i], piece[i + 1]), i);
    symbols[i] = plan.ByteId(piece[i]);
  }
  symbols[n - 1] = plan.ByteId(piece[n - 1]);
  size_t padded = std::min<size_t>((n + 15) & ~size_t{15}, kByteBpeShortPiece);
  for (size_t i = n - 1; i < padded; ++i) order[i] = kNone;
  uint64_t alive = ~uint64_t{0} >> (64 - n);
  for (;;) {
    uint32_t best = Minimum::Of(order, padded);
    if (best == kNone) break;
    size_t at = best & 63;
    uint32_t id = plan.Merged(best >> 6);
    uint64_t above = alive & (~uint64_t{1} << at);
    size_t right = static_cast<size_t>(std::countr_zero(above));
    symbols[at] = id;
    alive &= ~(uint64_t{1} << right);
    order[right] = kNone;
    above &= above - 1;
    uint64_t below = alive & ((uint64_t{1} << at) - 1);
    order[at] =
        above == 0 ? kNone : ranked(plan.PairRank(id, symbols[std::countr_zero(above)]), at);
    if (below != 0) {
      size_t left = static_cast<size_t>(63 - std::countl_zero(below));
      order[left] = ranked(plan.PairRank(symbols[left], id), left);
    }
  }
  size_t count = 0;
  for (; alive != 0; alive &= alive - 1) ids[count++] = symbols[std::countr_zero(alive)];
  return count;
}

// Pieces of any length (below 2^32 bytes): a heap of (rank, position), linear times a logarithm.
class LongPieceMerger {
 public:
  // Appends the ids of the piece.
  void Merge(const ByteBpePlan& plan, const uint8_t* piece, size_t n, std::vector<uint32_t>* ids);

 private:
  struct Symbol {
    uint32_t id;
    uint32_t size;  // bytes; 0: merged into one before it
    uint32_t previous_size;
  };

  void Push(uint32_t rank, size_t at);
  uint64_t Pop();

  std::vector<Symbol> symbols_;
  std::vector<uint64_t> heap_;  // rank << 32 | position, smallest first, four children each
};

}  // namespace hearth::tokenizers

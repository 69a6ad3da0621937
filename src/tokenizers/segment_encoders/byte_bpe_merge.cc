#include "tokenizers/segment_encoders/byte_bpe_merge.h"

namespace hearth::tokenizers {
namespace {

#include "tokenizers/segment_encoders/byte_bpe_short_merge.inc"

constexpr size_t kChildren = 4;

void SiftDown(std::vector<uint64_t>& heap, size_t at, uint64_t value) {
  const size_t size = heap.size();
  for (;;) {
    size_t child = at * kChildren + 1;
    if (child >= size) break;
    size_t stop = std::min(child + kChildren, size);
    size_t least = child;
    for (size_t i = child + 1; i < stop; ++i) {
      if (heap[i] < heap[least]) least = i;
    }
    if (heap[least] >= value) break;
    heap[at] = heap[least];
    at = least;
  }
  heap[at] = value;
}

}  // namespace

uint32_t ByteBpePlan::PairRank(uint32_t left, uint32_t right) const {
  return FindRank<PortableMerging::PairLine>(*this, PairKey(left, right));
}

void LongPieceMerger::Push(uint32_t rank, size_t at) {
  uint64_t value = uint64_t{rank} << 32 | at;
  size_t i = heap_.size();
  heap_.push_back(value);
  while (i > 0) {
    size_t parent = (i - 1) / kChildren;
    if (heap_[parent] <= value) break;
    heap_[i] = heap_[parent];
    i = parent;
  }
  heap_[i] = value;
}

uint64_t LongPieceMerger::Pop() {
  uint64_t top = heap_.front();
  uint64_t last = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) SiftDown(heap_, 0, last);
  return top;
}

void LongPieceMerger::Merge(const ByteBpePlan& plan, ByteBpePairMemo& memo,
                            ByteBpeMergeFunction merge, std::basic_string_view<uint8_t> piece,
                            std::vector<uint32_t>* ids) {
  internal::MergeByWindows(
      piece.size(), kByteBpeShortPiece, &tokens_, &fresh_,
      [&](size_t begin, size_t end, std::vector<internal::BpeToken>* out) {
        if (end - begin > kByteBpeShortPiece) {
          MergeByHeap(plan, memo, piece.data() + begin, end - begin);
          for (size_t i = 0; i < end - begin; i += symbols_[i].size) {
            out->push_back({symbols_[i].id, static_cast<uint32_t>(begin + i)});
          }
          return;
        }
        uint32_t merged[kByteBpeShortPiece];
        const uint32_t* id = merged;
        uint64_t starts = merge(plan, memo, piece.data() + begin, end - begin, merged);
        for (; starts != 0; starts &= starts - 1) {
          out->push_back({*id++, static_cast<uint32_t>(begin) +
                                     static_cast<uint32_t>(std::countr_zero(starts))});
        }
      });
  for (const internal::BpeToken& token : tokens_) ids->push_back(token.id);
}

void LongPieceMerger::MergeByHeap(const ByteBpePlan& plan, ByteBpePairMemo& memo,
                                  const uint8_t* piece, size_t n) {
  auto pair_rank = [&](uint32_t left, uint32_t right) {
    return RankOf<PortableMerging::PairLine>(plan, memo, ByteBpePlan::PairKey(left, right));
  };
  symbols_.resize(n);
  heap_.clear();
  for (size_t i = 0; i < n; ++i) {
    symbols_[i] = {plan.ByteId(piece[i]), 1, i > 0 ? 1u : 0u};
    if (i + 1 == n) break;
    uint32_t rank = plan.BytePairRank(piece[i], piece[i + 1]);
    if (rank != ByteBpePlan::kNoRank) heap_.push_back(uint64_t{rank} << 32 | i);
  }
  if (heap_.size() > 1) {
    for (size_t i = (heap_.size() - 2) / kChildren + 1; i-- > 0;) SiftDown(heap_, i, heap_[i]);
  }
  while (!heap_.empty()) {
    uint64_t top = Pop();
    auto at = static_cast<size_t>(top & 0xFFFFFFFF);
    auto rank = static_cast<uint32_t>(top >> 32);
    Symbol& symbol = symbols_[at];
    size_t right = at + symbol.size;
    if (symbol.size == 0 || right >= n) continue;
    // The pair may have changed since it was queued; its present rank tells.
    if (pair_rank(symbol.id, symbols_[right].id) != rank) continue;
    symbol.id = plan.Merged(rank);
    symbol.size += symbols_[right].size;
    symbols_[right].size = 0;
    size_t after = at + symbol.size;
    if (after < n) {
      symbols_[after].previous_size = symbol.size;
      uint32_t next = pair_rank(symbol.id, symbols_[after].id);
      if (next != ByteBpePlan::kNoRank) Push(next, at);
    }
    if (symbol.previous_size > 0) {
      size_t before = at - symbol.previous_size;
      uint32_t previous = pair_rank(symbols_[before].id, symbol.id);
      if (previous != ByteBpePlan::kNoRank) Push(previous, before);
    }
  }
}

}  // namespace hearth::tokenizers

// The candidates of a merge in the order of byte pair encoding: lowest rank first, of equal ranks
// the leftmost. For stretches of thousands of symbols, where one heap over all candidates is slower
// than linear: a bucket per rank, and a bit set in three levels that finds the lowest one in use.
//
// Candidates of one rank mostly come from left to right and are then only appended; what comes out
// of order goes to a heap of that rank alone. One per thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace hearth::tokenizers {

class RankQueue {
 public:
  // Empties the queue; ranks will be below `ranks`.
  void Reset(size_t ranks) {
    for (Bucket& bucket : buckets_) bucket.Clear();
    used_ = 0;
    size_t words = ranks;
    for (auto& level : levels_) {
      words = words / 64 + 1;
      level.assign(words, 0);
    }
    bucket_of_rank_.assign(ranks, kNone);
  }

  void Push(uint32_t rank, uint32_t position) {
    uint32_t& index = bucket_of_rank_[rank];
    if (index == kNone) {
      index = static_cast<uint32_t>(used_++);
      if (index == buckets_.size()) buckets_.emplace_back();
    }
    buckets_[index].Push(position);
    size_t at = rank;
    for (auto& level : levels_) {
      level[at / 64] |= uint64_t{1} << (at % 64);
      at /= 64;
    }
  }

  // False when the queue is empty.
  bool Pop(uint32_t* rank, uint32_t* position) {
    size_t at = 0;
    const auto& top = levels_[kLevels - 1];
    while (at < top.size() && top[at] == 0) ++at;
    if (at == top.size()) return false;
    for (size_t level = kLevels; level-- > 0;) {
      at = at * 64 + static_cast<size_t>(__builtin_ctzll(levels_[level][at]));
    }
    *rank = static_cast<uint32_t>(at);
    Bucket& bucket = buckets_[bucket_of_rank_[at]];
    *position = bucket.Pop();
    if (bucket.empty()) Unmark(at);
    return true;
  }

 private:
  static constexpr size_t kLevels = 3;
  static constexpr uint32_t kNone = 0xFFFFFFFFu;

  struct Bucket {
    std::vector<uint32_t> sorted;  // from `next` on
    size_t next = 0;
    std::vector<uint32_t> late;  // a heap

    bool empty() const { return next == sorted.size() && late.empty(); }
    void Clear() {
      sorted.clear();
      late.clear();
      next = 0;
    }
    void Push(uint32_t position) {
      if (next == sorted.size()) {
        sorted.clear();
        next = 0;
      }
      if (sorted.empty() || position >= sorted.back()) {
        sorted.push_back(position);
      } else {
        late.push_back(position);
        std::push_heap(late.begin(), late.end(), std::greater<>());
      }
    }
    uint32_t Pop() {
      if (!late.empty() && (next == sorted.size() || late.front() < sorted[next])) {
        std::pop_heap(late.begin(), late.end(), std::greater<>());
        uint32_t position = late.back();
        late.pop_back();
        return position;
      }
      return sorted[next++];
    }
  };

  void Unmark(size_t at) {
    for (auto& level : levels_) {
      uint64_t& word = level[at / 64];
      word &= ~(uint64_t{1} << (at % 64));
      if (word != 0) return;
      at /= 64;
    }
  }

  std::vector<uint64_t> levels_[kLevels];
  std::vector<uint32_t> bucket_of_rank_;
  std::vector<Bucket> buckets_;
  size_t used_ = 0;
};

}  // namespace hearth::tokenizers

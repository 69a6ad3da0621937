// Sets of row numbers: which repositories carry a tag. Small sets are sorted arrays, large ones
// bitmaps; a query works on plain bitmaps only (one bit a row: 125 kB for a million rows, so a
// handful of word-wise ANDs costs microseconds). Not thread-safe.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hearth::hub {

class RowBitmap {
 public:
  explicit RowBitmap(size_t rows = 0) : words_((rows + 63) / 64) {}
  void Grow(size_t rows) {
    if ((rows + 63) / 64 > words_.size()) words_.resize((rows + 63) / 64);
  }
  bool Test(uint32_t row) const { return words_[row >> 6] >> (row & 63) & 1; }
  void Set(uint32_t row) { words_[row >> 6] |= uint64_t{1} << (row & 63); }
  void Clear(uint32_t row) { words_[row >> 6] &= ~(uint64_t{1} << (row & 63)); }
  size_t Count() const {
    size_t count = 0;
    for (uint64_t word : words_) count += static_cast<size_t>(std::popcount(word));
    return count;
  }
  void And(const RowBitmap& other);
  void Or(const RowBitmap& other);
  template <typename F>
  void ForEach(F each) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1)
        each(static_cast<uint32_t>(i * 64 + static_cast<size_t>(std::countr_zero(word))));
    }
  }
  std::vector<uint64_t>& words() { return words_; }
  const std::vector<uint64_t>& words() const { return words_; }

 private:
  std::vector<uint64_t> words_;
};

class PostingSet {
 public:
  // `rows` is the size of the table: decides which form is smaller.
  void Add(uint32_t row, size_t rows);
  void Remove(uint32_t row);
  bool Contains(uint32_t row) const;
  size_t size() const { return count_; }
  void OrInto(RowBitmap* target) const;
  template <typename F>
  void ForEach(F each) const {
    for (uint32_t row : sorted_) each(row);
    for (size_t i = 0; i < bits_.size(); ++i) {
      for (uint64_t word = bits_[i]; word != 0; word &= word - 1)
        each(static_cast<uint32_t>(i * 64 + static_cast<size_t>(std::countr_zero(word))));
    }
  }
  size_t memory_bytes() const { return sorted_.capacity() * 4 + bits_.capacity() * 8; }

 private:
  bool dense() const { return !bits_.empty(); }
  void MakeDense();
  void MakeSparse();

  std::vector<uint32_t> sorted_;
  std::vector<uint64_t> bits_;
  size_t count_ = 0;
};

}  // namespace hearth::hub

// Sets of row numbers: which repositories carry a tag. Small sets are sorted arrays, large ones
// bitmaps; a query works on plain bitmaps only. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bitmap.h"

namespace hearth::hub {

using RowBitmap = Bitmap;

class PostingSet {
 public:
  // `rows` is the size of the table: decides which form is smaller.
  void Add(uint32_t row, size_t rows);
  void Remove(uint32_t row);
  bool Contains(uint32_t row) const;
  size_t size() const { return count_; }
  uint32_t First() const;  // the smallest; precondition: not empty
  void OrInto(RowBitmap* target) const;
  // How many of these rows hold.
  size_t CountIn(const RowBitmap& rows) const;
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

// Memory for the texts that an encoding passes through: handed out by moving a pointer, taken back
// all at once. Not thread-safe; one per scratch.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace hearth::tokenizers::internal {

class Arena {
 public:
  template <typename T>
  T* Allocate(size_t count) {
    static_assert(alignof(T) <= 8);
    return reinterpret_cast<T*>(Bytes(count * sizeof(T)));
  }

  // Takes everything back. Keeps one block (of at most kKept bytes) for the next round.
  void Reset() {
    size_t largest = 0;
    for (size_t i = 1; i < blocks_.size(); ++i) {
      if (blocks_[i].size <= kKept && (blocks_[i].size > blocks_[largest].size)) largest = i;
    }
    if (!blocks_.empty()) {
      std::swap(blocks_[0], blocks_[largest]);
      blocks_.resize(blocks_[0].size <= kKept ? 1 : 0);
    }
    used_ = 0;
  }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };

  // A sentence needs a few hundred bytes, a page tens of thousands.
  static constexpr size_t kFirst = size_t{16} << 10;
  static constexpr size_t kKept = size_t{1} << 20;

  char* Bytes(size_t size) {
    size = (size + 7) & ~size_t{7};
    if (blocks_.empty() || blocks_.back().size - used_ < size) {
      size_t grown = blocks_.empty() ? kFirst : blocks_.back().size * 2;
      if (grown < size) grown = size;
      blocks_.push_back({std::unique_ptr<char[]>(new char[grown]), grown});
      used_ = 0;
    }
    char* result = blocks_.back().bytes.get() + used_;
    used_ += size;
    return result;
  }

  std::vector<Block> blocks_;
  size_t used_ = 0;  // of the last block
};

}  // namespace hearth::tokenizers::internal

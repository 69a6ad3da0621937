// Tables that are probed at random, which would miss the translation cache each time but for huge
// pages.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

#include "base/aligned_memory.h"

namespace hearth::tokenizers {

template <typename T>
class ProbeTable {
 public:
  void Assign(size_t count, const T& value) {
    memory_ = AllocateAligned(count * sizeof(T));
    std::uninitialized_fill_n(data(), count, value);
    size_ = count;
  }
  T* data() { return reinterpret_cast<T*>(memory_.get()); }
  const T* data() const { return reinterpret_cast<const T*>(memory_.get()); }
  size_t size() const { return size_; }

 private:
  static_assert(std::is_trivially_destructible_v<T>);
  AlignedMemory memory_;
  size_t size_ = 0;
};

}  // namespace hearth::tokenizers

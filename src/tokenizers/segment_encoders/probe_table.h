// Memory for tables that are probed at random: in cache lines, and where large in large pages,
// asked for before the first touch. Random probes would otherwise miss the translation cache each
// time.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace hearth::tokenizers {

template <typename T>
class ProbeTable {
 public:
  void Assign(size_t count, const T& value) {
    constexpr size_t kHugePage = size_t{2} << 20;
    constexpr size_t kPage = 4096;
    size_t bytes = (count * sizeof(T) + kPage - 1) / kPage * kPage;
    size_t alignment = bytes >= kHugePage ? kHugePage : kPage;
    memory_.reset(std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment));
    if (memory_ == nullptr) throw std::bad_alloc();
    if (bytes >= kHugePage) madvise(memory_.get(), bytes, MADV_HUGEPAGE);
    std::uninitialized_fill_n(data(), count, value);
    size_ = count;
  }
  T* data() { return static_cast<T*>(memory_.get()); }
  const T* data() const { return static_cast<const T*>(memory_.get()); }
  size_t size() const { return size_; }

 private:
  static_assert(std::is_trivially_destructible_v<T>);
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> memory_;
  size_t size_ = 0;
};

}  // namespace hearth::tokenizers

// Memory for tables of a megabyte and more: in large pages, asked for before the first touch. The
// first touch of each small page costs about as much as reading the text that fills it.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

namespace hearth::tokenizers::internal {

template <typename T>
class PageAllocator {
 public:
  using value_type = T;
  PageAllocator() = default;
  template <typename U>
  PageAllocator(const PageAllocator<U>&) {}

  T* allocate(size_t count) {
    if (count > SIZE_MAX / sizeof(T) / 2) throw std::bad_alloc();
    size_t bytes = count * sizeof(T);
    void* memory = nullptr;
    if (bytes < kLeast) {
      memory = std::malloc(bytes);
    } else {
      bytes = (bytes + kPage - 1) / kPage * kPage;
      memory = std::aligned_alloc(kPage, bytes);
      if (memory != nullptr) madvise(memory, bytes, MADV_HUGEPAGE);
    }
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, size_t) { std::free(memory); }
  // Elements that are about to be written need no zeros: resize leaves them as they are.
  template <typename U>
  void construct(U* at) noexcept {
    ::new (static_cast<void*>(at)) U;
  }
  template <typename U, typename... Args>
  void construct(U* at, Args&&... args) {
    ::new (static_cast<void*>(at)) U(std::forward<Args>(args)...);
  }
  bool operator==(const PageAllocator&) const { return true; }

 private:
  static constexpr size_t kPage = size_t{2} << 20;
  // Half a megabyte in small pages takes longer than one large page.
  static constexpr size_t kLeast = size_t{512} << 10;
};

template <typename T>
using PageVector = std::vector<T, PageAllocator<T>>;

// Asks for large pages in memory that a caller's vector has reserved and not touched: threads that
// each touch some megabytes of small pages wait for one another in the kernel.
inline void AskForLargePages(void* memory, size_t bytes) {
  constexpr uintptr_t kPage = uintptr_t{2} << 20;
  uintptr_t begin = (reinterpret_cast<uintptr_t>(memory) + kPage - 1) / kPage * kPage;
  uintptr_t end = (reinterpret_cast<uintptr_t>(memory) + bytes) / kPage * kPage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

// Room for `more` further ids, which are about to come; what is not used costs only addresses.
inline void ReserveIds(size_t more, std::vector<uint32_t>* ids) {
  if (ids->capacity() - ids->size() >= more) return;
  std::vector<uint32_t> larger;
  larger.reserve(std::max(ids->size() + more, ids->capacity() * 3 / 2));
  AskForLargePages(larger.data(), larger.capacity() * sizeof(uint32_t));
  larger.insert(larger.end(), ids->begin(), ids->end());
  ids->swap(larger);
}

}  // namespace hearth::tokenizers::internal

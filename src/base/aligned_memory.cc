#include "base/aligned_memory.h"

#include <sys/mman.h>

#include <new>

namespace hearth {
namespace {

constexpr uint64_t kCacheLine = 64;
constexpr uint64_t kPage = 4096;
constexpr uint64_t kHugePage = uint64_t{2} << 20;

}  // namespace

AlignedMemory AllocateAligned(uint64_t bytes) {
  const bool huge = bytes >= kHugePage / 2;
  const uint64_t alignment = huge ? kHugePage : bytes >= kPage ? kPage : kCacheLine;
  if (bytes > UINT64_MAX - alignment) throw std::bad_alloc();
  const uint64_t rounded = (bytes + alignment - 1) / alignment * alignment;
  AlignedMemory memory(static_cast<uint8_t*>(std::aligned_alloc(alignment, rounded)));
  if (memory == nullptr) throw std::bad_alloc();
  if (huge) madvise(memory.get(), rounded, MADV_HUGEPAGE);  // a wish: without it all works, slower
  return memory;
}

}  // namespace hearth

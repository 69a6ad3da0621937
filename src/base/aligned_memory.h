// Memory that is walked or probed a lot: at a multiple of 64 bytes, and in huge pages, asked for
// before the first touch, where it fills one at least by half. With pages of 4 KiB each access may
// cost an address translation, and where the pages happen to lie decides how well they fit the L2
// cache.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace hearth {

struct FreeAligned {
  void operator()(uint8_t* memory) const { std::free(memory); }
};
using AlignedMemory = std::unique_ptr<uint8_t[], FreeAligned>;

// Not cleared. Throws std::bad_alloc.
AlignedMemory AllocateAligned(uint64_t bytes);

// A buffer that is used again and again, by one thread at a time.
class ScratchMemory {
 public:
  // At least so many bytes; what they held is lost when they grow. Throws std::bad_alloc.
  uint8_t* Reserve(uint64_t bytes) {
    if (bytes > size_bytes_) {
      memory_ = AllocateAligned(bytes);
      size_bytes_ = bytes;
    }
    return memory_.get();
  }
  uint8_t* data() const { return memory_.get(); }

 private:
  AlignedMemory memory_;
  uint64_t size_bytes_ = 0;
};

}  // namespace hearth

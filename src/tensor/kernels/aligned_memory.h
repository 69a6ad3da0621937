// Memory that kernels read and write: at a multiple of 64 bytes, and in huge pages where it fills
// one at least by half. With pages of 4 KiB each walk through it costs address translations, and
// where the pages happen to lie decides how well they fit the L2 cache.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace hearth::tensor {

struct FreeAligned {
  void operator()(uint8_t* memory) const { std::free(memory); }
};
using AlignedMemory = std::unique_ptr<uint8_t[], FreeAligned>;

// Not cleared. Throws std::bad_alloc.
AlignedMemory AllocateAligned(uint64_t bytes);

}  // namespace hearth::tensor

// A rectangular part of a tensor as the runs of bytes that hold it. Pure and thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "formats/safetensors/safetensors.h"

namespace hearth {

// Indices [begin, end) along one dimension.
struct DimRange {
  uint64_t begin = 0;
  uint64_t end = UINT64_MAX;  // past the dimension: its end
};

// Shape of the part. `ranges` may be fewer than the dimensions: the others are taken whole. Throws
// kInvalidArgument for more ranges than dimensions or a begin past the end.
std::vector<uint64_t> SliceShape(const SafetensorsTensor& tensor, std::span<const DimRange> ranges);

// Calls run(offset in the tensor's bytes, bytes) for each maximal run, in order. Throws
// kInvalidArgument, also where a run of a 4 or 6 bit type begins or ends inside a byte.
void ForEachSliceRun(const SafetensorsTensor& tensor, std::span<const DimRange> ranges,
                     const std::function<void(uint64_t offset, uint64_t bytes)>& run);

}  // namespace hearth

#include "formats/safetensors/safetensors_slice.h"

#include <algorithm>

namespace hearth {
namespace {

std::vector<DimRange> Clamped(const SafetensorsTensor& tensor, std::span<const DimRange> ranges) {
  if (ranges.size() > tensor.shape.size()) {
    throw Error(Code::kInvalidArgument, "a slice of more dimensions than the tensor has");
  }
  std::vector<DimRange> all(tensor.shape.size());
  std::copy(ranges.begin(), ranges.end(), all.begin());
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].end = std::min(all[i].end, tensor.shape[i]);
    if (all[i].begin > all[i].end) {
      throw Error(Code::kInvalidArgument, "a slice begins after its end");
    }
  }
  return all;
}

uint64_t BytesOf(uint64_t elements, uint64_t bits) {
  if (elements * bits % 8 != 0) {
    throw Error(Code::kInvalidArgument, "the slice ends inside a byte")
        .With("kind", "MisalignedSlice");
  }
  return elements * bits / 8;
}

}  // namespace

std::vector<uint64_t> SliceShape(const SafetensorsTensor& tensor,
                                 std::span<const DimRange> ranges) {
  std::vector<uint64_t> shape;
  for (const DimRange& range : Clamped(tensor, ranges)) shape.push_back(range.end - range.begin);
  return shape;
}

void ForEachSliceRun(const SafetensorsTensor& tensor, std::span<const DimRange> ranges,
                     const std::function<void(uint64_t, uint64_t)>& run) {
  const std::vector<DimRange> part = Clamped(tensor, ranges);
  const uint64_t bits = tensor::DtypeBits(tensor.type);
  for (const DimRange& range : part) {
    if (range.begin == range.end) return;
  }
  // Trailing dimensions that are taken whole belong to one run, and so does the one before them.
  size_t outer = part.size();
  uint64_t inner = 1;
  while (outer > 0 && part[outer - 1].begin == 0 &&
         part[outer - 1].end == tensor.shape[outer - 1]) {
    inner *= tensor.shape[--outer];
  }
  uint64_t first = 0, length = inner;
  if (outer > 0) {
    --outer;
    first = part[outer].begin * inner;
    length = (part[outer].end - part[outer].begin) * inner;
    inner *= tensor.shape[outer];
  }
  const uint64_t bytes = BytesOf(length, bits);
  std::vector<uint64_t> at(outer);
  for (size_t i = 0; i < outer; ++i) at[i] = part[i].begin;
  while (true) {
    uint64_t index = 0;
    for (size_t i = 0; i < outer; ++i) index = index * tensor.shape[i] + at[i];
    run(BytesOf(index * inner + first, bits), bytes);
    size_t dim = outer;
    while (dim > 0 && ++at[dim - 1] == part[dim - 1].end) {
      at[dim - 1] = part[dim - 1].begin;
      --dim;
    }
    if (dim == 0) return;
  }
}

}  // namespace hearth

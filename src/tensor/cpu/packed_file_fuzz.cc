// A file of packed weights with any bytes: it is refused, or the matrices in it can be read from
// end to end. The head is completed first, so that what stands behind it is reached.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "tensor/cpu/packed_file.h"
#include "tensor/kernels/packed_matrix.h"

namespace {

using namespace hearth::tensor;

void Use(const PackedMatrix& matrix) {
  const std::vector<float> x(matrix.inputs(), 1.0f);
  std::vector<float> out(matrix.outputs());
  PackedRows rows;
  rows.Prepare(matrix.packing(), matrix.tier(), 1, matrix.inputs());
  rows.Fill(x.data(), matrix.inputs(), 0, 1);
  Multiply(matrix, rows, 0, matrix.outputs(), {.gated = matrix.gated()}, out.data(),
           matrix.outputs());
}

void Read(const PackedFileLayout& layout, std::span<const uint8_t> file) {
  if (!layout.IsHead(file)) return;
  for (uint64_t i = 0; i < layout.chunks(); ++i) {
    if (!layout.ChunkHolds(file, i)) return;
  }
  std::span<const uint8_t> data = file.subspan(layout.data_offset());
  for (size_t i = 0; i < layout.matrices(); ++i) {
    try {
      Use(PackedMatrix::FromBytes(data.subspan(layout.offset(i), layout.size(i)),
                                  hearth::CpuTier()));
    } catch (const hearth::Error&) {
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> file(data, data + size);
  // As a reader that expects something else sees it.
  const uint64_t expected[] = {1088, 64};
  Read(PackedFileLayout(hearth::Sha256(), expected), file);
  if (size < 1) return 0;
  // The same bytes as the data of a file whose checksums hold: two matrices of any sizes.
  const uint64_t first = (size - 1) * data[0] / 256, sizes[] = {first, size - 1 - first};
  const PackedFileLayout layout(hearth::Sha256(), sizes);
  std::vector<uint8_t> body(layout.data_bytes());
  std::copy(data + 1, data + 1 + first, body.begin());
  std::copy(data + 1 + first, data + size, body.begin() + layout.offset(1));
  std::vector<uint64_t> checksums;
  for (uint64_t at = 0; at < body.size(); at += PackedFileLayout::kChunkBytes) {
    const uint64_t bytes = std::min(PackedFileLayout::kChunkBytes, body.size() - at);
    checksums.push_back(PackedFileLayout::Checksum({body.data() + at, bytes}));
  }
  const std::string head = layout.Head(checksums);
  std::vector<uint8_t> whole(head.begin(), head.end());
  whole.insert(whole.end(), body.begin(), body.end());
  Read(layout, whole);
  return 0;
}

// Bytes of a cache on disk: FromBytes either refuses them or gives a matrix that a product can read
// from end to end.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "tensor/kernels/packed_matrix.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::tensor;
  try {
    const PackedMatrix matrix = PackedMatrix::FromBytes({data, size}, hearth::CpuTier());
    const std::vector<float> x(uint64_t{2} * matrix.inputs(), 1.0f);
    std::vector<float> out(uint64_t{2} * matrix.outputs());
    PackedRows rows;
    rows.Prepare(matrix.packing(), matrix.tier(), 2, matrix.inputs());
    rows.Fill(x.data(), matrix.inputs(), 0, 2);
    Multiply(matrix, rows, 0, matrix.outputs(), {.gated = matrix.gated()}, out.data(),
             matrix.outputs());
  } catch (const hearth::Error&) {
  }
  return 0;
}

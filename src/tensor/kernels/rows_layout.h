// Where the parts of PackedRows lie, and filling them with a given set of kernels.
#pragma once

#include <cstdint>

#include "tensor/kernels/matmul_kernels.h"

namespace hearth::tensor::internal {

struct RowsLayout {
  uint64_t stride = 0;  // bytes from row to row
  uint64_t per_row = 0, offsets_per_row = 0;
  uint64_t scales_at = 0, offsets_at = 0, sums_at = 0;
  uint64_t bytes = 0;
};

RowsLayout LayoutOfRows(Packing packing, bool bf16_rows, uint64_t rows, uint32_t columns);
RowsView ViewOf(const PackedRows& rows, const MatmulKernels& kernels);
RowsView ViewOf(const uint8_t* data, const RowsLayout& layout);
// All of a call but its rows, epilogue and output.
MatmulCall CallOf(const PackedMatrix& matrix, uint32_t begin, uint32_t end);

struct FloatRows {
  const float* values;
  uint64_t stride;  // floats
  uint32_t columns;
};
void FillRows(const MatmulKernels& kernels, Packing packing, const FloatRows& x, uint64_t begin,
              uint64_t end, const RowsLayout& layout, uint8_t* data);

}  // namespace hearth::tensor::internal

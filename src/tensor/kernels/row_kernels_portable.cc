// Row kernels for the compiler's baseline.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "tensor/internal/kernels_prelude.h"
#include "tensor/internal/row_kernel_table.h"

namespace hearth::tensor::portable {
namespace {
#include "tensor/kernels/vector_math_portable.inc"

#include "tensor/kernels/row_kernels.inc"
}  // namespace
}  // namespace hearth::tensor::portable

namespace hearth::tensor {

const RowKernels& PortableRowKernels() {
  static const RowKernels kernels = portable::MakeRowKernels();
  return kernels;
}

}  // namespace hearth::tensor

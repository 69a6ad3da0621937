// Row kernels for AVX2, FMA and F16C.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "tensor/internal/kernels_prelude.h"
#include "tensor/internal/row_kernel_table.h"

#if defined(__x86_64__)
HEARTH_TARGET_BEGIN("avx2,fma,f16c,bmi,bmi2,popcnt")
namespace hearth::tensor::avx2 {
namespace {
#include "tensor/kernels/vector_math_avx2.inc"

#include "tensor/kernels/row_kernels.inc"
}  // namespace
}  // namespace hearth::tensor::avx2
HEARTH_TARGET_END

namespace hearth::tensor {

const RowKernels& Avx2RowKernels() {
  static const RowKernels kernels = avx2::MakeRowKernels();
  return kernels;
}

}  // namespace hearth::tensor
#endif

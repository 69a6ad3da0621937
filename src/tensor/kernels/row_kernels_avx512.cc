// Row kernels for AVX-512 F, BW, CD, DQ and VL.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "tensor/internal/kernels_prelude.h"
#include "tensor/internal/row_kernel_table.h"

#if defined(__x86_64__)
HEARTH_TARGET_BEGIN("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2,popcnt")
namespace hearth::tensor::avx512 {
namespace {
#include "tensor/kernels/vector_math_avx512.inc"

#include "tensor/kernels/row_kernels.inc"
}  // namespace
}  // namespace hearth::tensor::avx512
HEARTH_TARGET_END

namespace hearth::tensor {

const RowKernels& Avx512RowKernels() {
  static const RowKernels kernels = avx512::MakeRowKernels();
  return kernels;
}

}  // namespace hearth::tensor
#endif

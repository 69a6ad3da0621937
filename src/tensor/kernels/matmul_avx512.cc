// The matrix products compiled for AVX-512 F, BW, CD, DQ and VL.
#include "tensor/kernels/matmul_prelude.h"

#if defined(__x86_64__)
#define HEARTH_VNNI 0
HEARTH_TARGET_BEGIN("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2,popcnt")
namespace hearth::tensor::internal {
namespace {
namespace math {
#include "tensor/kernels/vector_math_avx512.inc"
}  // namespace math

#include "tensor/kernels/matmul_lanes_avx512.inc"

#include "tensor/kernels/matmul_kernels.inc"
}  // namespace
}  // namespace hearth::tensor::internal
HEARTH_TARGET_END

namespace hearth::tensor::internal {

const MatmulKernels& Avx512Matmul() {
  static const MatmulKernels kernels = MakeMatmul("avx512");
  return kernels;
}

}  // namespace hearth::tensor::internal
#endif

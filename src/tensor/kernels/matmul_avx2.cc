// The matrix products compiled for AVX2, FMA and F16C.
#include "tensor/kernels/matmul_prelude.h"

#if defined(__x86_64__)
HEARTH_TARGET_BEGIN("avx2,fma,f16c,bmi,bmi2,popcnt")
namespace hearth::tensor::internal {
namespace {
namespace math {
#include "tensor/kernels/vector_math_avx2.inc"
}  // namespace math

#include "tensor/kernels/matmul_lanes_avx2.inc"

#include "tensor/kernels/matmul_kernels.inc"
}  // namespace
}  // namespace hearth::tensor::internal
HEARTH_TARGET_END

namespace hearth::tensor::internal {

const MatmulKernels& Avx2Matmul() {
  static const MatmulKernels kernels = MakeMatmul("avx2");
  return kernels;
}

}  // namespace hearth::tensor::internal
#endif

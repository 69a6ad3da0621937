// The kernels compiled for AVX-512 F, BW, CD, DQ and VL.
#include "tensor/internal/kernels_prelude.h"

#if defined(__x86_64__)
#define HEARTH_TIER avx512
#define HEARTH_LANES 16
#define HEARTH_F16C 1
HEARTH_TARGET_BEGIN("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,f16c,bmi,bmi2,popcnt")
#include "tensor/internal/kernels.inc"
HEARTH_TARGET_END

namespace hearth::tensor::internal {

const Kernels& Avx512Kernels() {
  static const Kernels kernels = avx512::MakeKernels();
  return kernels;
}

}  // namespace hearth::tensor::internal
#endif

// The kernels compiled for AVX2 and F16C. Not for FMA: a fused multiply-add rounds once where the
// reference rounds twice.
#include "tensor/internal/kernels_prelude.h"

#if defined(__x86_64__)
#define HEARTH_TIER avx2
#define HEARTH_LANES 8
#define HEARTH_F16C 1
HEARTH_TARGET_BEGIN("avx2,f16c,bmi,bmi2,popcnt")
#include "tensor/internal/kernels.inc"
HEARTH_TARGET_END

namespace hearth::tensor::internal {

const Kernels& Avx2Kernels() {
  static const Kernels kernels = avx2::MakeKernels();
  return kernels;
}

}  // namespace hearth::tensor::internal
#endif

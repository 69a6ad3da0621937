// Attention for AVX2, FMA and F16C.
#include <cmath>
#include <cstring>

#include "tensor/internal/attention_kernels.h"
#include "tensor/internal/kernels_prelude.h"

#if defined(__x86_64__)
HEARTH_TARGET_BEGIN("avx2,fma,f16c,bmi,bmi2,popcnt")
namespace hearth::tensor::avx2 {
namespace {
#include "tensor/kernels/vector_math_avx2.inc"

#include "tensor/kernels/attention.inc"
}  // namespace

AttentionKernels MakeAttention() { return {StoreRows, RunItem}; }

}  // namespace hearth::tensor::avx2
HEARTH_TARGET_END

namespace hearth::tensor {

const AttentionKernels& Avx2Attention() {
  static const AttentionKernels kernels = avx2::MakeAttention();
  return kernels;
}

}  // namespace hearth::tensor
#endif

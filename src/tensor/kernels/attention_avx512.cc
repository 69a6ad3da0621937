// Attention for AVX-512 F, BW, CD, DQ and VL.
#include <cmath>
#include <cstring>

#include "tensor/internal/attention_kernels.h"
#include "tensor/internal/kernels_prelude.h"

#if defined(__x86_64__)
HEARTH_TARGET_BEGIN("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2,popcnt")
namespace hearth::tensor::avx512 {
namespace {
#include "tensor/kernels/vector_math_avx512.inc"

#include "tensor/kernels/attention.inc"
}  // namespace

AttentionKernels MakeAttention() { return {StoreRows, RunItem}; }

}  // namespace hearth::tensor::avx512
HEARTH_TARGET_END

namespace hearth::tensor {

const AttentionKernels& Avx512Attention() {
  static const AttentionKernels kernels = avx512::MakeAttention();
  return kernels;
}

}  // namespace hearth::tensor
#endif

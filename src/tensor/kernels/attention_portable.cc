// Attention for the compiler's baseline.
#include <cmath>
#include <cstring>

#include "tensor/internal/attention_kernels.h"
#include "tensor/internal/kernels_prelude.h"

namespace hearth::tensor::portable {
namespace {
#include "tensor/kernels/vector_math_portable.inc"

#include "tensor/kernels/attention.inc"
}  // namespace

AttentionKernels MakeAttention() { return {StoreRows, RunItem}; }

}  // namespace hearth::tensor::portable

namespace hearth::tensor {

const AttentionKernels& PortableAttention() {
  static const AttentionKernels kernels = portable::MakeAttention();
  return kernels;
}

}  // namespace hearth::tensor

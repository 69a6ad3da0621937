// The matrix products compiled for the compiler's baseline.
#include "tensor/kernels/matmul_prelude.h"

namespace hearth::tensor::internal {
namespace {
namespace math {
#include "tensor/kernels/vector_math_portable.inc"
}  // namespace math

#include "tensor/kernels/matmul_lanes_portable.inc"

#include "tensor/kernels/matmul_kernels.inc"
}  // namespace
}  // namespace hearth::tensor::internal

namespace hearth::tensor::internal {

const MatmulKernels& PortableMatmul() {
  static const MatmulKernels kernels = MakeMatmul("portable");
  return kernels;
}

}  // namespace hearth::tensor::internal

// The kernels in plain C++ for the compiler's baseline: what every other tier must equal.
#include "tensor/internal/kernels_prelude.h"

#define HEARTH_TIER portable
#define HEARTH_LANES 8
#include "tensor/internal/kernels.inc"

namespace hearth::tensor::internal {

const Kernels& PortableKernels() {
  static const Kernels kernels = portable::MakeKernels();
  return kernels;
}

}  // namespace hearth::tensor::internal

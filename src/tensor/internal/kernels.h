// One table of kernels per tier. A kernel works on whole blocks and checks nothing.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "tensor/block_types.h"

namespace hearth::tensor::internal {

using ToFloats = void (*)(const uint8_t* in, uint64_t count, float* out);
using FromFloats = void (*)(const float* in, uint64_t count, uint8_t* out);

struct Kernels {
  ToFloats f16_to_f32 = nullptr;  // count = elements
  ToFloats bf16_to_f32 = nullptr;
  FromFloats f32_to_f16 = nullptr;
  FromFloats f32_to_bf16 = nullptr;
  bool (*all_finite)(const float* in, uint64_t count) = nullptr;
  ToFloats dequantize[kBlockTypeNumbers] = {};  // count = blocks; nullptr for plain types
  FromFloats quantize[kBlockTypeNumbers] = {};
};

// `tier` must be one that the machine has.
const Kernels& KernelsOf(Tier tier);

const Kernels& PortableKernels();
const Kernels& Avx2Kernels();
const Kernels& Avx512Kernels();

}  // namespace hearth::tensor::internal

// One table of row kernels per tier; row_kernels.h says what they do. They check nothing.
#pragma once

#include <cstdint>
#include <span>

#include "base/cpu.h"
#include "tensor/kernels/row_kernels.h"

namespace hearth::tensor {

// Another matrix of the block's shape.
struct OtherRows {
  const float* values;
  uint64_t stride;
};

struct NormWeights {
  const float* weight;  // null: absent
  const float* bias;
  bool per_column;  // of all columns rather than of one group
};

enum class MathFunction : uint8_t { kExp, kLog, kTanh, kErf, kSigmoid };

struct RowKernels {
  void (*norm)(const RowBlock&, const NormOptions&, const NormWeights&);
  void (*activate)(const RowBlock&, Activation);
  void (*gate)(const RowBlock&, OtherRows up, Activation);
  void (*add)(const RowBlock&, OtherRows);
  void (*multiply)(const RowBlock&, OtherRows);
  void (*scale)(const RowBlock&, float factor);
  void (*soft_cap)(const RowBlock&, float cap);
  void (*softmax)(const RowBlock&);
  void (*rope)(const RowBlock&, const RopeOptions&, const RopeTable&, const uint32_t* positions);
  void (*pool)(const RowBlock&, Pooling, uint64_t unpooled);
  float (*log_sum_exp)(const float* row, uint64_t count);
  int64_t (*arg_max)(const float* row, uint64_t count);
  void (*math)(MathFunction, const float* in, uint64_t count, float* out);
};

const RowKernels& PortableRowKernels();
const RowKernels& Avx2RowKernels();
const RowKernels& Avx512RowKernels();

// out[i] = function(in[i]); the functions of vector_math.inc by themselves.
void MapMath(MathFunction function, std::span<const float> in, std::span<float> out, Tier tier);

}  // namespace hearth::tensor

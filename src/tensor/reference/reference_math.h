// The arithmetic of the reference executor, one row or head at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/ops.h"

namespace hearth::tensor {

double Dot(const float* a, const float* b, uint64_t count);
float ApplyActivation(Activation activation, float x);
// weight and bias may be null.
void NormGroup(const float* x, uint32_t columns, const NormOptions& options, const float* weight,
               const float* bias, float* out);
void RotateHead(float* head, std::span<const float> inverse_frequencies, uint32_t position,
                const RopeOptions& options);

// What the rows of one sequence attend to.
struct AttentionSegment {
  const AttentionOptions* options;
  const float* keys;    // [length, kv_heads * head_dim]
  const float* values;  // the same
  const std::vector<float>* relative_bias;
  uint64_t length;
};
// One query row at `position` of the sequence.
void AttendRow(const AttentionSegment& segment, const float* q, uint64_t position, float* out);
void PoolSegment(const float* x, uint64_t rows, uint64_t unpooled, uint32_t columns,
                 Pooling pooling, float* out);

}  // namespace hearth::tensor

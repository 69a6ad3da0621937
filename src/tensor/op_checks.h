// What operations ask of their operands, the same in every builder. Throws kInvalidArgument; the
// messages name the weight.
#pragma once

#include "tensor/executor.h"
#include "tensor/ops.h"

namespace hearth::tensor {

// Each returns the columns of the result.
uint32_t CheckEmbed(const WeightSet& weights, Weight table);
// `known`: what the model has asked for already, 0 for nothing.
void CheckFeatures(uint32_t columns, uint32_t known);
uint32_t CheckLinear(const WeightSet& weights, ValueShape x, Weight weight, Weight bias);
void CheckNorm(const WeightSet& weights, ValueShape x, const NormOptions& options);
void CheckSameShape(ValueShape a, ValueShape b);
void CheckRope(ValueShape x, const RopeOptions& options);
uint32_t CheckAttention(const WeightSet& weights, ValueShape q, ValueShape k, ValueShape v,
                        const AttentionOptions& options);
void CheckColumns(ValueShape x, uint32_t begin, uint32_t count);
void CheckTokens(ValueShape x);
void CheckLowRank(const WeightSet& weights, const LowRank& pair);
// Of a batch, before it runs: lengths, segments that cover the rows, `feature_columns` values for
// every token.
void CheckBatch(const Batch& batch, uint32_t feature_columns);

}  // namespace hearth::tensor

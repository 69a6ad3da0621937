// What operations ask of their operands, the same in every builder. Throws kInvalidArgument; the
// messages name the weight.
#pragma once

#include "tensor/executor.h"
#include "tensor/ops.h"

namespace hearth::tensor {

// Each returns the columns of the result.
uint32_t CheckEmbed(const WeightSet& weights, Weight table);
uint32_t CheckLinear(const WeightSet& weights, ValueShape x, Weight weight, Weight bias);
void CheckNorm(const WeightSet& weights, ValueShape x, const NormOptions& options);
void CheckSameShape(ValueShape a, ValueShape b);
void CheckRope(ValueShape x, const RopeOptions& options);
uint32_t CheckAttention(const WeightSet& weights, ValueShape q, ValueShape k, ValueShape v,
                        const AttentionOptions& options);
void CheckColumns(ValueShape x, uint32_t begin, uint32_t count);
void CheckTokens(ValueShape x);
void CheckLowRank(const WeightSet& weights, const LowRank& pair);
// Of a batch, before it runs: lengths, segments that cover the rows, ids inside tables.
void CheckBatch(const Batch& batch);

}  // namespace hearth::tensor

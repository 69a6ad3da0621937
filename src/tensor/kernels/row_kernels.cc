#include "tensor/kernels/row_kernels.h"

#include "tensor/internal/row_kernel_table.h"

namespace hearth::tensor {
namespace {

const RowKernels& KernelsOf(Tier tier) {
#if defined(__x86_64__)
  if (tier == Tier::kAvx512) return Avx512RowKernels();
  if (tier == Tier::kAvx2) return Avx2RowKernels();
#endif
  (void)tier;
  return PortableRowKernels();
}

}  // namespace

void NormRows(const RowBlock& block, const NormOptions& options, std::span<const float> weight,
              std::span<const float> bias) {
  uint32_t group = options.group != 0 ? options.group : block.columns;
  NormWeights weights{weight.empty() ? nullptr : weight.data(),
                      bias.empty() ? nullptr : bias.data(), weight.size() > group};
  KernelsOf(block.tier).norm(block, options, weights);
}

void ActivateRows(const RowBlock& block, Activation activation) {
  KernelsOf(block.tier).activate(block, activation);
}
void GateRows(const RowBlock& block, const float* up, uint64_t up_stride, Activation activation) {
  KernelsOf(block.tier).gate(block, {up, up_stride}, activation);
}
void AddRows(const RowBlock& block, const float* other, uint64_t other_stride) {
  KernelsOf(block.tier).add(block, {other, other_stride});
}
void MultiplyRows(const RowBlock& block, const float* other, uint64_t other_stride) {
  KernelsOf(block.tier).multiply(block, {other, other_stride});
}
void ScaleRows(const RowBlock& block, float factor) { KernelsOf(block.tier).scale(block, factor); }
void SoftCapRows(const RowBlock& block, float cap) { KernelsOf(block.tier).soft_cap(block, cap); }
void SoftmaxRows(const RowBlock& block) { KernelsOf(block.tier).softmax(block); }

void RopeRows(const RowBlock& block, const RopeOptions& options, const RopeTable& table,
              std::span<const uint32_t> positions) {
  KernelsOf(block.tier).rope(block, options, table, positions.data());
}
void PoolRows(const RowBlock& block, Pooling pooling, uint64_t unpooled) {
  KernelsOf(block.tier).pool(block, pooling, unpooled);
}
float LogSumExp(std::span<const float> row, Tier tier) {
  return KernelsOf(tier).log_sum_exp(row.data(), row.size());
}
int64_t ArgMax(std::span<const float> row, Tier tier) {
  return KernelsOf(tier).arg_max(row.data(), row.size());
}

void MapMath(MathFunction function, std::span<const float> in, std::span<float> out, Tier tier) {
  KernelsOf(tier).math(function, in.data(), in.size(), out.data());
}

}  // namespace hearth::tensor

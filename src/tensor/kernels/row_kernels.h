// Row-wise operations on the CPU: norms, rotary positions, activations, pooling. fp32 in and out,
// vectorised per tier; exp, tanh and erf within 2 ulp of the true value in every tier (tests), and
// the same result in every tier where that costs nothing. Thread-safe on disjoint rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/cpu.h"
#include "tensor/ops.h"

namespace hearth::tensor {

// Rows are `columns` floats, `stride` floats apart. out may be x.
struct RowBlock {
  const float* x = nullptr;
  uint64_t x_stride = 0;
  float* out = nullptr;
  uint64_t out_stride = 0;
  uint64_t rows = 0;
  uint32_t columns = 0;
  Tier tier = Tier::kPortable;
};

// weight and bias of NormOptions::group (or columns) values; empty: absent.
void NormRows(const RowBlock& block, const NormOptions& options, std::span<const float> weight,
              std::span<const float> bias);
void ActivateRows(const RowBlock& block, Activation activation);
// out = activation(x) * up
void GateRows(const RowBlock& block, const float* up, uint64_t up_stride, Activation activation);
void AddRows(const RowBlock& block, const float* other, uint64_t other_stride);
void MultiplyRows(const RowBlock& block, const float* other, uint64_t other_stride);
void ScaleRows(const RowBlock& block, float factor);
void SoftCapRows(const RowBlock& block, float cap);
// A row of -inf alone becomes zeros.
void SoftmaxRows(const RowBlock& block);

// cos and sin of positions [0, positions): per position `pairs` cosines, then `pairs` sines, times
// the magnitude. Computed in double, as the error of fp32 grows with the position.
class RopeTable {
 public:
  RopeTable(std::span<const float> inverse_frequencies, float magnitude);
  // Grows to `positions`; not thread-safe, call before the run.
  void Reserve(uint32_t positions);
  // For [first, first + count) only, instead of what it held.
  void Window(uint32_t first, uint32_t count);
  const float* At(uint32_t position) const {
    return table_.data() + uint64_t{position - first_} * 2 * pairs_;
  }
  uint32_t pairs() const { return pairs_; }

 private:
  std::vector<float> frequencies_, table_;
  float magnitude_;
  uint32_t pairs_, first_ = 0;
};
// Rotates the first 2 * pairs() values of every head by positions[row]; the table must reach there.
void RopeRows(const RowBlock& block, const RopeOptions& options, const RopeTable& table,
              std::span<const uint32_t> positions);

// Rows of a segment (at least one) to one row at `out`, which is not among them.
// The first `unpooled` rows, fewer than all, are left out.
void PoolRows(const RowBlock& block, Pooling pooling, uint64_t unpooled = 0);
// log(sum(exp(row))) without overflow; -inf for an empty row.
float LogSumExp(std::span<const float> row, Tier tier);
// Index of the largest value, the first among equals; -1 for a row of NaN
// alone or without values. NaN among numbers is passed over.
int64_t ArgMax(std::span<const float> row, Tier tier);

}  // namespace hearth::tensor

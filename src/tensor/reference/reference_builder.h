// The reference executor: every operation at once, in plain fp32 loops, nothing fused.
//
// Slow, and meant to be read: what a fast executor computes is compared with this. Sums are taken
// in double. Keys and values of cached layers are kept in a ReferenceCache per sequence instead of
// pages: Segment::pages holds the one number of the sequence. Used by one thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tensor/ops.h"

namespace hearth::tensor {

// Keys and values of all rows seen so far, by (sequence, layer).
struct ReferenceCache {
  struct Layer {
    std::vector<float> keys, values;  // rows of kv_heads * head_dim
  };
  std::map<std::pair<uint32_t, int32_t>, Layer> layers;
};

// A low-rank addition to linear layers: y += scale * (x A^T) B^T.
struct ReferenceLowRank {
  std::vector<float> a, b;  // [rank, inputs], [outputs, rank]
  uint32_t rank = 0;
  float scale = 1;
};
using ReferenceAdapter = std::map<int32_t, ReferenceLowRank>;  // by the weight's index

class ReferenceBuilder : public Builder {
 public:
  // Borrows all. `cache` may be null when no layer is cached.
  ReferenceBuilder(const WeightSet& weights, const Batch& batch, ReferenceCache* cache,
                   std::vector<ReferenceAdapter> adapters = {})
      : weights_(weights), batch_(batch), cache_(cache), adapters_(std::move(adapters)) {}

  ValueShape Shape(Value value) const override;
  Value Embed(Weight table, TokenInput input, float scale, uint32_t offset) override;
  Value Features(uint32_t columns) override;
  Value Linear(Value x, Weight weight, Weight bias) override;
  Value Norm(Value x, const NormOptions& options) override;
  Value Activate(Value x, Activation activation) override;
  Value Gate(Value gate, Value up, Activation activation) override;
  Value Add(Value a, Value b) override;
  Value Multiply(Value a, Value b) override;
  Value Scale(Value x, float factor) override;
  Value SoftCap(Value x, float cap) override;
  Value Rope(Value x, const RopeOptions& options) override;
  Value Attention(Value q, Value k, Value v, const AttentionOptions& options) override;
  Value Columns(Value x, uint32_t begin, uint32_t count) override;
  Value Concat(std::span<const Value> parts) override;
  Value SelectOutputs(Value x) override;
  Value Pool(Value x, Pooling pooling) override;
  void Output(std::string_view name, Value value) override;

  // By the name given to Output; throws kNotFound.
  const std::vector<float>& Result(std::string_view name) const;

  // Weights as fp32, by their place in the set, from one builder to the next one of the same set.
  void GiveFloats(std::map<int32_t, std::vector<float>> floats) { floats_ = std::move(floats); }
  std::map<int32_t, std::vector<float>> TakeFloats() { return std::move(floats_); }

 private:
  struct Matrix {
    RowSpace rows = RowSpace::kTokens;
    uint32_t columns = 0;
    std::vector<float> data;
  };

  const Matrix& At(Value value) const { return values_[value.index]; }
  // A new value; the reference stays good.
  std::pair<Value, Matrix*> Make(RowSpace rows, uint32_t columns);
  template <typename Function>
  Value Map(Value x, Function function);
  template <typename Function>
  Value Combine(Value a, Value b, Function function);
  const std::vector<float>& Floats(Weight weight);
  // Of each row, by its segment; -1: none.
  std::vector<int32_t> AdapterOfRows(RowSpace rows) const;
  void AddAdapters(const Matrix& x, Weight weight, Matrix* out) const;

  const WeightSet& weights_;
  const Batch& batch_;
  ReferenceCache* cache_;
  std::vector<ReferenceAdapter> adapters_;
  std::deque<Matrix> values_;
  std::map<int32_t, std::vector<float>> floats_;
  std::map<std::string, Value, std::less<>> outputs_;
};

}  // namespace hearth::tensor

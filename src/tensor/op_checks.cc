#include "tensor/op_checks.h"

#include "base/error.h"

namespace hearth::tensor {
namespace {

[[noreturn]] void Refuse(const std::string& message) {
  throw Error(Code::kInvalidArgument, message);
}

std::string Sizes(const WeightView& view) {
  return std::to_string(view.rows) + " x " + std::to_string(view.columns);
}

void CheckVector(const WeightSet& weights, Weight vector, uint32_t columns) {
  if (!vector) return;
  const WeightView& view = weights.Shape(vector);
  if (view.rows != 1 || view.columns != columns) {
    Refuse("the tensor " + weights.Name(vector) + " has " + Sizes(view) + " values where " +
           std::to_string(columns) + " belong");
  }
}

}  // namespace

uint32_t CheckEmbed(const WeightSet& weights, Weight table) {
  return static_cast<uint32_t>(weights.Shape(table).columns);
}

void CheckFeatures(uint32_t columns, uint32_t known) {
  if (columns == 0 || (known != 0 && columns != known)) {
    Refuse("a model's tokens have values of one size, not " + std::to_string(columns) + " columns");
  }
}

uint32_t CheckLinear(const WeightSet& weights, ValueShape x, Weight weight, Weight bias) {
  const WeightView& view = weights.Shape(weight);
  if (view.columns != x.columns) {
    Refuse("the tensor " + weights.Name(weight) + " is " + Sizes(view) + " but its input has " +
           std::to_string(x.columns) + " columns");
  }
  CheckVector(weights, bias, static_cast<uint32_t>(view.rows));
  return static_cast<uint32_t>(view.rows);
}

void CheckNorm(const WeightSet& weights, ValueShape x, const NormOptions& options) {
  uint32_t group = options.group == 0 ? x.columns : options.group;
  if (x.columns % group != 0) Refuse("a norm's group does not divide its columns");
  CheckVector(weights, options.weight, group);
  CheckVector(weights, options.bias, group);
}

void CheckSameShape(ValueShape a, ValueShape b) {
  if (a.rows != b.rows || a.columns != b.columns) {
    Refuse("operands of " + std::to_string(a.columns) + " and " + std::to_string(b.columns) +
           " columns do not go together");
  }
}

void CheckRope(ValueShape x, const RopeOptions& options) {
  if (options.head_dim == 0 || x.columns % options.head_dim != 0 ||
      options.inverse_frequencies.size() * 2 > options.head_dim ||
      (!options.long_inverse_frequencies.empty() &&
       options.long_inverse_frequencies.size() != options.inverse_frequencies.size())) {
    Refuse("rotary positions do not fit heads of " + std::to_string(options.head_dim));
  }
  CheckTokens(x);
}

uint32_t CheckAttention(const WeightSet& weights, ValueShape q, ValueShape k, ValueShape v,
                        const AttentionOptions& options) {
  CheckTokens(q);
  CheckSameShape(k, v);
  CheckTokens(k);
  bool heads_fit = options.heads > 0 && options.kv_heads > 0 && options.head_dim > 0 &&
                   options.heads % options.kv_heads == 0;
  if (!heads_fit || uint64_t{options.heads} * options.head_dim != q.columns ||
      uint64_t{options.kv_heads} * options.head_dim != k.columns) {
    Refuse("attention of " + std::to_string(options.heads) + " heads, " +
           std::to_string(options.kv_heads) + " of them with keys, each of " +
           std::to_string(options.head_dim) + ", does not fit " + std::to_string(q.columns) +
           " and " + std::to_string(k.columns) + " columns");
  }
  if (options.relative_bias && weights.Shape(options.relative_bias).columns != options.heads) {
    Refuse("the tensor " + weights.Name(options.relative_bias) + " needs one column per head");
  }
  return q.columns;
}

void CheckColumns(ValueShape x, uint32_t begin, uint32_t count) {
  if (count == 0 || begin > x.columns || count > x.columns - begin) {
    Refuse("columns " + std::to_string(begin) + " to " + std::to_string(uint64_t{begin} + count) +
           " of a value with " + std::to_string(x.columns));
  }
}

void CheckTokens(ValueShape x) {
  if (x.rows != RowSpace::kTokens) Refuse("the operation works on the tokens' rows");
}

void CheckLowRank(const WeightSet& weights, const LowRank& pair) {
  const WeightView& weight = weights.Shape(pair.weight);
  bool fits = pair.rank > 0 && pair.a.size() == pair.rank * weight.columns &&
              pair.b.size() == pair.rank * weight.rows;
  if (!fits) Refuse("an adapter's pair does not fit the weight " + weights.Name(pair.weight));
}

void CheckBatch(const Batch& batch, uint32_t feature_columns) {
  uint64_t rows = batch.token_ids.size();
  if (batch.features.size() != rows * feature_columns) {
    Refuse("a batch of " + std::to_string(rows) + " tokens has " +
           std::to_string(batch.features.size()) + " values where " +
           std::to_string(feature_columns) + " a token belong");
  }
  if (batch.positions.size() != rows ||
      (!batch.token_types.empty() && batch.token_types.size() != rows)) {
    Refuse("a batch has as many positions and types as tokens");
  }
  uint64_t next = 0;
  for (const Segment& segment : batch.segments) {
    if (segment.first_row != next || segment.rows == 0) Refuse("a batch's segments leave a gap");
    if (segment.unpooled >= segment.rows) Refuse("a segment has no rows to pool");
    next += segment.rows;
  }
  if (next != rows) Refuse("a batch's segments do not cover its rows");
  uint64_t after = 0;
  for (uint32_t row : batch.output_rows) {
    if (row >= rows || row < after) Refuse("a batch's output rows must rise inside the batch");
    after = row + 1;
  }
}

}  // namespace hearth::tensor

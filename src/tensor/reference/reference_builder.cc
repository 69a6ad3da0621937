#include "tensor/reference/reference_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "tensor/op_checks.h"
#include "tensor/reference/reference_math.h"

namespace hearth::tensor {

ValueShape ReferenceBuilder::Shape(Value value) const {
  return {At(value).rows, At(value).columns};
}

std::pair<Value, ReferenceBuilder::Matrix*> ReferenceBuilder::Make(RowSpace rows,
                                                                   uint32_t columns) {
  Matrix& made = values_.emplace_back();
  made.rows = rows;
  made.columns = columns;
  made.data.resize(batch_.Rows(rows) * columns);
  return {Value{static_cast<int32_t>(values_.size() - 1)}, &made};
}

const std::vector<float>& ReferenceBuilder::Floats(Weight weight) {
  auto [place, is_new] = floats_.try_emplace(weight.index);
  if (is_new) place->second = ToFloats(weights_.View(weight));
  return place->second;
}

template <typename Function>
Value ReferenceBuilder::Map(Value x, Function function) {
  auto [value, out] = Make(At(x).rows, At(x).columns);
  std::transform(At(x).data.begin(), At(x).data.end(), out->data.begin(), function);
  return value;
}

template <typename Function>
Value ReferenceBuilder::Combine(Value a, Value b, Function function) {
  CheckSameShape(Shape(a), Shape(b));
  auto [value, out] = Make(At(a).rows, At(a).columns);
  std::transform(At(a).data.begin(), At(a).data.end(), At(b).data.begin(), out->data.begin(),
                 function);
  return value;
}

Value ReferenceBuilder::Embed(Weight table, TokenInput input, float scale, uint32_t offset) {
  uint32_t columns = CheckEmbed(weights_, table);
  const std::vector<float>& rows = Floats(table);
  auto [value, out] = Make(RowSpace::kTokens, columns);
  for (size_t row = 0; row < batch_.token_ids.size(); ++row) {
    uint64_t id = batch_.token_ids[row];
    if (input == TokenInput::kPositions) id = uint64_t{batch_.positions[row]} + offset;
    if (input == TokenInput::kTypes) id = batch_.token_types.empty() ? 0 : batch_.token_types[row];
    if (id >= weights_.Shape(table).rows) {
      throw Error(Code::kInvalidArgument,
                  "row " + std::to_string(id) + " is outside the table " + weights_.Name(table));
    }
    for (uint32_t column = 0; column < columns; ++column) {
      out->data[row * columns + column] = rows[id * columns + column] * scale;
    }
  }
  return value;
}

Value ReferenceBuilder::Features(uint32_t columns) {
  CheckFeatures(columns, 0);
  CheckBatch(batch_, columns);
  auto [value, out] = Make(RowSpace::kTokens, columns);
  out->data.assign(batch_.features.begin(), batch_.features.end());
  return value;
}

Value ReferenceBuilder::Linear(Value x, Weight weight, Weight bias) {
  uint32_t outputs = CheckLinear(weights_, Shape(x), weight, bias);
  const std::vector<float>& w = Floats(weight);
  const float* b = bias ? Floats(bias).data() : nullptr;
  auto [value, out] = Make(At(x).rows, outputs);
  const Matrix& in = At(x);
  for (size_t row = 0; row * outputs < out->data.size(); ++row) {
    const float* values = in.data.data() + row * in.columns;
    for (uint32_t output = 0; output < outputs; ++output) {
      double sum = Dot(values, w.data() + uint64_t{output} * in.columns, in.columns);
      out->data[row * outputs + output] = static_cast<float>(sum + (b ? b[output] : 0));
    }
  }
  AddAdapters(in, weight, out);
  return value;
}

std::vector<int32_t> ReferenceBuilder::AdapterOfRows(RowSpace rows) const {
  std::vector<int32_t> of_tokens, chosen;
  for (const Segment& segment : batch_.segments) {
    of_tokens.insert(of_tokens.end(), segment.rows, segment.adapter);
    chosen.push_back(segment.adapter);
  }
  if (rows == RowSpace::kSegments) return chosen;
  if (rows == RowSpace::kTokens) return of_tokens;
  chosen.clear();
  for (uint32_t row : batch_.output_rows) chosen.push_back(of_tokens[row]);
  return chosen;
}

void ReferenceBuilder::AddAdapters(const Matrix& x, Weight weight, Matrix* out) const {
  if (adapters_.empty()) return;
  std::vector<int32_t> adapter_of = AdapterOfRows(x.rows);
  for (uint64_t row = 0; row < adapter_of.size(); ++row) {
    if (adapter_of[row] < 0) continue;
    const ReferenceAdapter& adapter = adapters_.at(adapter_of[row]);
    auto found = adapter.find(weight.index);
    if (found == adapter.end()) continue;
    const ReferenceLowRank& low = found->second;
    std::vector<float> inner(low.rank);
    for (uint32_t r = 0; r < low.rank; ++r) {
      inner[r] = static_cast<float>(
          Dot(x.data.data() + row * x.columns, low.a.data() + uint64_t{r} * x.columns, x.columns));
    }
    for (uint32_t output = 0; output < out->columns; ++output) {
      out->data[row * out->columns + output] += static_cast<float>(
          low.scale * Dot(inner.data(), low.b.data() + uint64_t{output} * low.rank, low.rank));
    }
  }
}

Value ReferenceBuilder::Norm(Value x, const NormOptions& options) {
  CheckNorm(weights_, Shape(x), options);
  auto [value, out] = Make(At(x).rows, At(x).columns);
  uint32_t group = options.group == 0 ? At(x).columns : options.group;
  const float* weight = options.weight ? Floats(options.weight).data() : nullptr;
  const float* bias = options.bias ? Floats(options.bias).data() : nullptr;
  for (size_t at = 0; at < out->data.size(); at += group) {
    NormGroup(At(x).data.data() + at, group, options, weight, bias, out->data.data() + at);
  }
  return value;
}

Value ReferenceBuilder::Activate(Value x, Activation activation) {
  return Map(x, [activation](float v) { return ApplyActivation(activation, v); });
}

Value ReferenceBuilder::Gate(Value gate, Value up, Activation activation) {
  return Combine(gate, up,
                 [activation](float g, float u) { return ApplyActivation(activation, g) * u; });
}

Value ReferenceBuilder::Add(Value a, Value b) {
  return Combine(a, b, [](float x, float y) { return x + y; });
}

Value ReferenceBuilder::Multiply(Value a, Value b) {
  return Combine(a, b, [](float x, float y) { return x * y; });
}

Value ReferenceBuilder::Scale(Value x, float factor) {
  return Map(x, [factor](float v) { return v * factor; });
}

Value ReferenceBuilder::SoftCap(Value x, float cap) {
  return Map(x, [cap](float v) { return cap * std::tanh(v / cap); });
}

Value ReferenceBuilder::Rope(Value x, const RopeOptions& options) {
  CheckRope(Shape(x), options);
  auto [value, out] = Make(RowSpace::kTokens, At(x).columns);
  out->data = At(x).data;
  for (const Segment& segment : batch_.segments) {
    bool is_long = options.long_after > 0 && segment.Length() > options.long_after &&
                   !options.long_inverse_frequencies.empty();
    std::vector<float> frequencies =
        is_long ? options.long_inverse_frequencies : options.inverse_frequencies;
    if (options.dynamic_after > 0 && segment.Length() > options.dynamic_after)
      frequencies = DynamicFrequencies(options, segment.Length());
    for (uint64_t row = segment.first_row; row < uint64_t{segment.first_row} + segment.rows;
         ++row) {
      for (uint32_t head = 0; head < out->columns; head += options.head_dim) {
        RotateHead(out->data.data() + row * out->columns + head, frequencies, batch_.positions[row],
                   options);
      }
    }
  }
  return value;
}

Value ReferenceBuilder::Attention(Value q, Value k, Value v, const AttentionOptions& options) {
  uint32_t columns = CheckAttention(weights_, Shape(q), Shape(k), Shape(v), options);
  auto [value, out] = Make(RowSpace::kTokens, columns);
  uint32_t kv_columns = At(k).columns;
  const std::vector<float>* bias = options.relative_bias ? &Floats(options.relative_bias) : nullptr;
  for (const Segment& segment : batch_.segments) {
    uint64_t first = uint64_t{segment.first_row} * kv_columns;
    uint64_t end = first + uint64_t{segment.rows} * kv_columns;
    ReferenceCache::Layer local;
    ReferenceCache::Layer* layer = &local;
    if (options.cache_layer >= 0 && cache_ != nullptr) {
      layer = &cache_->layers[{segment.pages.front(), options.cache_layer}];
      // A sequence may be taken back to an earlier length.
      layer->keys.resize(uint64_t{segment.past} * kv_columns);
      layer->values.resize(uint64_t{segment.past} * kv_columns);
    }
    layer->keys.insert(layer->keys.end(), At(k).data.begin() + first, At(k).data.begin() + end);
    layer->values.insert(layer->values.end(), At(v).data.begin() + first, At(v).data.begin() + end);
    AttentionSegment attention{&options, layer->keys.data(), layer->values.data(), bias,
                               layer->keys.size() / kv_columns};
    for (uint32_t row = 0; row < segment.rows; ++row) {
      uint64_t place = (uint64_t{segment.first_row} + row) * columns;
      uint64_t position = layer->keys.size() / kv_columns - segment.rows + row;
      AttendRow(attention, At(q).data.data() + place, position, out->data.data() + place);
    }
  }
  return value;
}

Value ReferenceBuilder::Columns(Value x, uint32_t begin, uint32_t count) {
  CheckColumns(Shape(x), begin, count);
  auto [value, out] = Make(At(x).rows, count);
  for (size_t row = 0; row * count < out->data.size(); ++row) {
    const float* from = At(x).data.data() + row * At(x).columns + begin;
    std::copy(from, from + count, out->data.data() + row * count);
  }
  return value;
}

Value ReferenceBuilder::Concat(std::span<const Value> parts) {
  uint32_t columns = 0;
  for (Value part : parts) columns += At(part).columns;
  auto [value, out] = Make(At(parts.front()).rows, columns);
  uint32_t begin = 0;
  for (Value part : parts) {
    const Matrix& in = At(part);
    for (size_t row = 0; row * in.columns < in.data.size(); ++row) {
      std::copy_n(in.data.data() + row * in.columns, in.columns,
                  out->data.data() + row * columns + begin);
    }
    begin += in.columns;
  }
  return value;
}

Value ReferenceBuilder::SelectOutputs(Value x) {
  CheckTokens(Shape(x));
  uint32_t columns = At(x).columns;
  auto [value, out] = Make(RowSpace::kOutputs, columns);
  for (size_t i = 0; i < batch_.output_rows.size(); ++i) {
    std::copy_n(At(x).data.data() + uint64_t{batch_.output_rows[i]} * columns, columns,
                out->data.data() + i * columns);
  }
  return value;
}

Value ReferenceBuilder::Pool(Value x, Pooling pooling) {
  CheckTokens(Shape(x));
  uint32_t columns = At(x).columns;
  auto [value, out] = Make(RowSpace::kSegments, columns);
  for (size_t i = 0; i < batch_.segments.size(); ++i) {
    const Segment& segment = batch_.segments[i];
    PoolSegment(At(x).data.data() + uint64_t{segment.first_row} * columns, segment.rows,
                segment.unpooled, columns, pooling, out->data.data() + i * columns);
  }
  return value;
}

void ReferenceBuilder::Output(std::string_view name, Value value) {
  outputs_.insert_or_assign(std::string(name), value);
}

const std::vector<float>& ReferenceBuilder::Result(std::string_view name) const {
  auto found = outputs_.find(name);
  if (found == outputs_.end()) {
    throw Error(Code::kNotFound, "the model has no output \"" + std::string(name) + "\"");
  }
  return At(found->second).data;
}

}  // namespace hearth::tensor

#include "tensor/graph.h"

#include "base/error.h"
#include "tensor/op_checks.h"

namespace hearth::tensor {

Value GraphBuilder::Record(Operation operation, std::vector<int32_t> inputs, RowSpace rows,
                           uint32_t columns) {
  graph_.nodes.push_back({std::move(operation), std::move(inputs), {rows, columns}});
  return Value{static_cast<int32_t>(graph_.nodes.size() - 1)};
}

Value GraphBuilder::Embed(Weight table, TokenInput input, float scale, uint32_t offset) {
  uint32_t columns = CheckEmbed(weights_, table);
  return Record(EmbedNode{table, input, scale, offset}, {}, RowSpace::kTokens, columns);
}

Value GraphBuilder::Features(uint32_t columns) {
  CheckFeatures(columns, FeatureColumns(graph_));
  return Record(FeaturesNode{}, {}, RowSpace::kTokens, columns);
}

Value GraphBuilder::Linear(Value x, Weight weight, Weight bias) {
  uint32_t outputs = CheckLinear(weights_, Shape(x), weight, bias);
  return Record(LinearNode{weight, bias}, {x.index}, Shape(x).rows, outputs);
}

Value GraphBuilder::Norm(Value x, const NormOptions& options) {
  CheckNorm(weights_, Shape(x), options);
  return Record(options, {x.index}, Shape(x).rows, Shape(x).columns);
}

Value GraphBuilder::Activate(Value x, Activation activation) {
  return Record(ActivateNode{activation}, {x.index}, Shape(x).rows, Shape(x).columns);
}

Value GraphBuilder::Gate(Value gate, Value up, Activation activation) {
  CheckSameShape(Shape(gate), Shape(up));
  return Record(GateNode{activation}, {gate.index, up.index}, Shape(up).rows, Shape(up).columns);
}

Value GraphBuilder::Add(Value a, Value b) {
  CheckSameShape(Shape(a), Shape(b));
  return Record(AddNode{}, {a.index, b.index}, Shape(a).rows, Shape(a).columns);
}

Value GraphBuilder::Multiply(Value a, Value b) {
  CheckSameShape(Shape(a), Shape(b));
  return Record(MultiplyNode{}, {a.index, b.index}, Shape(a).rows, Shape(a).columns);
}

Value GraphBuilder::Scale(Value x, float factor) {
  return Record(ScaleNode{factor}, {x.index}, Shape(x).rows, Shape(x).columns);
}

Value GraphBuilder::SoftCap(Value x, float cap) {
  return Record(SoftCapNode{cap}, {x.index}, Shape(x).rows, Shape(x).columns);
}

Value GraphBuilder::Rope(Value x, const RopeOptions& options) {
  CheckRope(Shape(x), options);
  return Record(options, {x.index}, Shape(x).rows, Shape(x).columns);
}

Value GraphBuilder::Attention(Value q, Value k, Value v, const AttentionOptions& options) {
  uint32_t columns = CheckAttention(weights_, Shape(q), Shape(k), Shape(v), options);
  return Record(options, {q.index, k.index, v.index}, RowSpace::kTokens, columns);
}

Value GraphBuilder::Columns(Value x, uint32_t begin, uint32_t count) {
  CheckColumns(Shape(x), begin, count);
  return Record(ColumnsNode{begin}, {x.index}, Shape(x).rows, count);
}

Value GraphBuilder::Concat(std::span<const Value> parts) {
  std::vector<int32_t> inputs;
  uint32_t columns = 0;
  if (parts.empty()) throw Error(Code::kInvalidArgument, "nothing to concatenate");
  for (Value part : parts) {
    if (Shape(part).rows != Shape(parts.front()).rows) {
      throw Error(Code::kInvalidArgument, "parts of different rows do not concatenate");
    }
    inputs.push_back(part.index);
    columns += Shape(part).columns;
  }
  return Record(ConcatNode{}, std::move(inputs), Shape(parts.front()).rows, columns);
}

Value GraphBuilder::SelectOutputs(Value x) {
  CheckTokens(Shape(x));
  return Record(SelectNode{}, {x.index}, RowSpace::kOutputs, Shape(x).columns);
}

Value GraphBuilder::Pool(Value x, Pooling pooling) {
  CheckTokens(Shape(x));
  return Record(PoolNode{pooling}, {x.index}, RowSpace::kSegments, Shape(x).columns);
}

void GraphBuilder::Output(std::string_view name, Value value) {
  graph_.outputs.emplace_back(name, value.index);
}

}  // namespace hearth::tensor

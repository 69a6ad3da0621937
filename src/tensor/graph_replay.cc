#include "tensor/graph_replay.h"

#include <vector>

namespace hearth::tensor {
namespace {

// One node's call, by its operation; inputs are values of the builder.
struct Caller {
  Builder& builder;
  std::span<const Value> in;
  uint32_t columns;  // of the result

  Value operator()(const EmbedNode& node) const {
    return builder.Embed(node.table, node.input, node.scale, node.offset);
  }
  Value operator()(const FeaturesNode&) const { return builder.Features(columns); }
  Value operator()(const LinearNode& node) const {
    return builder.Linear(in[0], node.weight, node.bias);
  }
  Value operator()(const NormOptions& options) const { return builder.Norm(in[0], options); }
  Value operator()(const ActivateNode& node) const {
    return builder.Activate(in[0], node.activation);
  }
  Value operator()(const GateNode& node) const {
    return builder.Gate(in[0], in[1], node.activation);
  }
  Value operator()(const AddNode&) const { return builder.Add(in[0], in[1]); }
  Value operator()(const MultiplyNode&) const { return builder.Multiply(in[0], in[1]); }
  Value operator()(const ScaleNode& node) const { return builder.Scale(in[0], node.factor); }
  Value operator()(const SoftCapNode& node) const { return builder.SoftCap(in[0], node.cap); }
  Value operator()(const RopeOptions& options) const { return builder.Rope(in[0], options); }
  Value operator()(const AttentionOptions& options) const {
    return builder.Attention(in[0], in[1], in[2], options);
  }
  Value operator()(const ColumnsNode& node) const {
    return builder.Columns(in[0], node.begin, columns);
  }
  Value operator()(const ConcatNode&) const { return builder.Concat(in); }
  Value operator()(const SelectNode&) const { return builder.SelectOutputs(in[0]); }
  Value operator()(const PoolNode& node) const { return builder.Pool(in[0], node.pooling); }
};

}  // namespace

void Replay(const Graph& graph, Builder& builder) {
  std::vector<Value> values;
  for (const Node& node : graph.nodes) {
    std::vector<Value> inputs;
    for (int32_t input : node.inputs) inputs.push_back(values[input]);
    values.push_back(std::visit(Caller{builder, inputs, node.shape.columns}, node.operation));
  }
  for (const auto& [name, node] : graph.outputs) builder.Output(name, values[node]);
}

}  // namespace hearth::tensor

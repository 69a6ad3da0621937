// A recorded model: the operations of one forward pass in order, nothing computed.
//
// Shapes are known up to the number of rows. The graph borrows nothing; weights are named by their
// place in the set that the recorder was given.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tensor/ops.h"

namespace hearth::tensor {

struct EmbedNode {
  Weight table;
  TokenInput input;
  float scale;
  uint32_t offset;
};
struct FeaturesNode {};
struct LinearNode {
  Weight weight, bias;
};
struct ActivateNode {
  Activation activation;
};
struct GateNode {
  Activation activation;
};
struct AddNode {};
struct MultiplyNode {};
struct ScaleNode {
  float factor;
};
struct SoftCapNode {
  float cap;
};
struct ColumnsNode {
  uint32_t begin;
};
struct ConcatNode {};
struct SelectNode {};
struct PoolNode {
  Pooling pooling;
};

using Operation = std::variant<EmbedNode, FeaturesNode, LinearNode, NormOptions, ActivateNode,
                               GateNode, AddNode, MultiplyNode, ScaleNode, SoftCapNode, RopeOptions,
                               AttentionOptions, ColumnsNode, ConcatNode, SelectNode, PoolNode>;

// Its result is the value with its place in Graph::nodes.
struct Node {
  Operation operation;
  std::vector<int32_t> inputs;
  ValueShape shape;
};

struct Graph {
  std::vector<Node> nodes;
  std::vector<std::pair<std::string, int32_t>> outputs;
};

// What a batch brings for each token (Batch::features); 0: nothing.
inline uint32_t FeatureColumns(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (std::holds_alternative<FeaturesNode>(node.operation)) return node.shape.columns;
  }
  return 0;
}

// The same outputs with fewer rows computed: where only some rows of a value are wanted in the end,
// they are chosen as early as possible (wanted_rows.cc).
Graph ComputeWantedRows(Graph graph);

class GraphBuilder : public Builder {
 public:
  explicit GraphBuilder(const WeightSet& weights) : weights_(weights) {}
  Graph Take() { return std::move(graph_); }

  ValueShape Shape(Value value) const override { return graph_.nodes[value.index].shape; }
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

 private:
  Value Record(Operation operation, std::vector<int32_t> inputs, RowSpace rows, uint32_t columns);

  const WeightSet& weights_;
  Graph graph_;
};

}  // namespace hearth::tensor

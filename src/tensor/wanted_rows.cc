// A model that gives a few rows (the last token's scores, the first token's state) needs only those
// rows of everything after its last attention. The graph says so by choosing rows at its end; here
// the choice moves up to where rows still need each other.
#include <map>
#include <optional>
#include <utility>

#include "tensor/graph.h"

namespace hearth::tensor {
namespace {

// How rows are chosen: SelectOutputs, or the first or last of a segment.
using Choice = std::variant<SelectNode, PoolNode>;

std::optional<Choice> ChoiceOf(const Operation& operation) {
  if (std::holds_alternative<SelectNode>(operation)) return SelectNode{};
  const auto* pool = std::get_if<PoolNode>(&operation);
  if (pool != nullptr && (pool->pooling == Pooling::kFirst || pool->pooling == Pooling::kLast)) {
    return *pool;
  }
  return std::nullopt;
}

bool Same(const Choice& a, const Choice& b) {
  if (a.index() != b.index()) return false;
  const auto* pool = std::get_if<PoolNode>(&a);
  return pool == nullptr || pool->pooling == std::get<PoolNode>(b).pooling;
}

// Whether a row of the result depends on that row of the inputs alone, wherever it stands.
bool IsRowWise(const Operation& operation) {
  return std::holds_alternative<LinearNode>(operation) ||
         std::holds_alternative<NormOptions>(operation) ||
         std::holds_alternative<ActivateNode>(operation) ||
         std::holds_alternative<GateNode>(operation) ||
         std::holds_alternative<AddNode>(operation) ||
         std::holds_alternative<MultiplyNode>(operation) ||
         std::holds_alternative<ScaleNode>(operation) ||
         std::holds_alternative<SoftCapNode>(operation) ||
         std::holds_alternative<ColumnsNode>(operation) ||
         std::holds_alternative<ConcatNode>(operation);
}

class Rewriter {
 public:
  explicit Rewriter(Graph graph) : old_(std::move(graph)), wanted_(old_.nodes.size()) {}

  Graph Run() {
    FindWanted();
    for (size_t i = 0; i < old_.nodes.size(); ++i) Copy(static_cast<int32_t>(i));
    for (auto& [name, value] : old_.outputs) new_.outputs.emplace_back(name, place_[value]);
    return std::move(new_);
  }

 private:
  // What chooses among a node's rows, when all that use them do so in the same way. From the end:
  // users stand behind what they use.
  void FindWanted() {
    std::vector<bool> everything(old_.nodes.size());
    for (const auto& [name, value] : old_.outputs) everything[value] = true;
    for (size_t i = old_.nodes.size(); i-- > 0;) {
      const Node& node = old_.nodes[i];
      bool movable = IsRowWise(node.operation) && !everything[i] && wanted_[i];
      if (!movable) wanted_[i].reset();
      std::optional<Choice> choice = movable ? wanted_[i] : ChoiceOf(node.operation);
      for (int32_t input : node.inputs) {
        if (!choice || (wanted_[input] && !Same(*wanted_[input], *choice))) {
          everything[input] = true;
        }
        wanted_[input] = choice;
      }
    }
  }

  int32_t Add(Node node) {
    new_.nodes.push_back(std::move(node));
    return static_cast<int32_t>(new_.nodes.size() - 1);
  }

  // The chosen rows of an old node: itself where it has been moved, else chosen once.
  int32_t Chosen(int32_t node, const Choice& choice, RowSpace rows) {
    if (wanted_[node]) return place_[node];
    const auto* pool = std::get_if<PoolNode>(&choice);
    int kind = pool != nullptr ? static_cast<int>(pool->pooling) : -1;
    auto [known, is_new] = chosen_.try_emplace({node, kind}, 0);
    if (is_new) {
      Operation operation = std::visit([](const auto& each) { return Operation(each); }, choice);
      uint32_t columns = old_.nodes[node].shape.columns;
      known->second = Add({std::move(operation), {place_[node]}, {rows, columns}});
    }
    return known->second;
  }

  static RowSpace RowsOf(const Choice& choice) {
    return std::holds_alternative<SelectNode>(choice) ? RowSpace::kOutputs : RowSpace::kSegments;
  }

  void Copy(int32_t index) {
    Node node = old_.nodes[index];
    if (auto choice = ChoiceOf(node.operation)) {
      place_.push_back(Chosen(node.inputs[0], *choice, node.shape.rows));
      return;
    }
    if (wanted_[index]) node.shape.rows = RowsOf(*wanted_[index]);
    for (int32_t& input : node.inputs) {
      input = wanted_[index] ? Chosen(input, *wanted_[index], node.shape.rows) : place_[input];
    }
    place_.push_back(Add(std::move(node)));
  }

  Graph old_, new_;
  std::vector<std::optional<Choice>> wanted_;
  std::vector<int32_t> place_;                         // of old nodes among the new
  std::map<std::pair<int32_t, int>, int32_t> chosen_;  // by old node and pooling, -1: outputs
};

}  // namespace

Graph ComputeWantedRows(Graph graph) { return Rewriter(std::move(graph)).Run(); }

}  // namespace hearth::tensor

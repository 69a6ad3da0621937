#include "runtime/checkpoint_check.h"

#include <string>
#include <variant>

#include "base/error.h"
#include "tensor/graph.h"

namespace hearth::runtime {
namespace {

void CheckTable(const Checkpoint& checkpoint, const ModelShape& shape,
                const tensor::EmbedNode& embed) {
  uint64_t rows = checkpoint.weights.Shape(embed.table).rows;
  uint64_t needed = 1;
  const char* key = "type_vocab_size";
  if (embed.input == tensor::TokenInput::kIds) needed = shape.vocabulary, key = "vocab_size";
  if (embed.input == tensor::TokenInput::kPositions) {
    needed = uint64_t{shape.max_tokens} + embed.offset, key = "max_position_embeddings";
  }
  if (rows >= needed) return;
  throw Error(Code::kInvalidArgument, "the tensor " + checkpoint.weights.Name(embed.table) +
                                          " has " + std::to_string(rows) + " rows where \"" + key +
                                          "\" asks for " + std::to_string(needed));
}

}  // namespace

void CheckCheckpoint(const Checkpoint& checkpoint, Head head) {
  const Architecture& architecture = ArchitectureOf(checkpoint.config);
  ModelShape shape = architecture.shape(checkpoint.config);
  tensor::GraphBuilder recorder(checkpoint.weights);
  ModelContext context(checkpoint.config, checkpoint.weights, std::string(architecture.prefix),
                       head);
  architecture.forward(context, recorder);
  tensor::Graph graph = recorder.Take();
  for (const tensor::Node& node : graph.nodes) {
    if (const auto* embed = std::get_if<tensor::EmbedNode>(&node.operation)) {
      CheckTable(checkpoint, shape, *embed);
    }
  }
}

}  // namespace hearth::runtime

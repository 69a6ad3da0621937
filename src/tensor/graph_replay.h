// Calls a builder as a graph was recorded.
#pragma once

#include "tensor/graph.h"

namespace hearth::tensor {

// Throws what the builder throws.
void Replay(const Graph& graph, Builder& builder);

}  // namespace hearth::tensor

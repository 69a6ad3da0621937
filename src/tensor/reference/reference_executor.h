// The reference executor behind the common interfaces: keys and values in pages, adapters by
// request. Always fp32, one thread; a program reads its weights anew at each run.
#pragma once

#include <memory>

#include "tensor/compile_options.h"
#include "tensor/executor.h"

namespace hearth::tensor {

std::shared_ptr<const Program> CompileForReference(Graph graph, const WeightSet& weights,
                                                   const CompileOptions& options);

}  // namespace hearth::tensor

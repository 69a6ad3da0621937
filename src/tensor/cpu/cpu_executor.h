// The CPU executor behind the common interfaces.
#pragma once

#include <memory>

#include "tensor/cpu/program.h"
#include "tensor/executor.h"

namespace hearth::tensor {

std::shared_ptr<const Program> CompileForCpu(Graph graph, const WeightSet& weights,
                                             const CompileOptions& options);

}  // namespace hearth::tensor

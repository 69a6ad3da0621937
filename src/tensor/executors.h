// The executors by name.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "tensor/compile_options.h"
#include "tensor/executor.h"

namespace hearth::tensor {

constexpr std::string_view kCpuExecutor = "cpu";

// In the order in which they are told to people.
std::vector<std::string_view> ExecutorNames();

// Throws what CompileProgram would for an executor that is none or is not installed, at no cost.
void RequireExecutor(std::string_view executor);

// Makes a recorded graph ready to run. The weights must outlive the program. Options that an
// executor has no use for change nothing. Throws kInvalidArgument for a name that is none and a
// precision that the executor does not know; kUnavailable when the executor is not installed,
// saying how it is had.
std::shared_ptr<const Program> CompileProgram(std::string_view executor, Graph graph,
                                              const WeightSet& weights,
                                              const CompileOptions& options);

}  // namespace hearth::tensor

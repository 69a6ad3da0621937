// Loads the torch plugin and makes programs with it.
//
// The plugin is looked for where HEARTH_TORCH_PLUGIN says (a file), beside the running program, and
// in ../lib/hearth of that. HEARTH_TORCH_DEVICE chooses the device: "cpu", "cuda", "cuda:1".
// Thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "tensor/compile_options.h"
#include "tensor/executor.h"

namespace hearth::tensor {

// The file that would be loaded; nothing when there is none.
std::optional<std::filesystem::path> FindTorchPlugin();

// Throws kUnavailable without one.
void RequireTorchPlugin();

// Precision: kNative is fp32 on the CPU and bf16 on CUDA devices; kF32; kBf16. Throws
// kInvalidArgument for others, kUnavailable without a plugin or with one that does not load or is
// of another version of this program.
std::shared_ptr<const Program> CompileForTorch(Graph graph, const WeightSet& weights,
                                               const CompileOptions& options);

}  // namespace hearth::tensor

// The kinds of files that checkpoints are made of; checkpoint.cc chooses among them.
#pragma once

#include <filesystem>

#include "runtime/checkpoint.h"
#include "runtime/checkpoint_weights.h"

namespace hearth::runtime {

// The language model's part of a configuration: "text_config" where there is one.
ModelConfig LanguageModelConfig(Json config);

// A file, or a folder with model.safetensors or the shards of its index.
void LoadSafetensors(const std::filesystem::path& path, WeightLoader* loader);

// pytorch_model.bin, or the shards of its index, read without running anything
// (formats/torch/torch_checkpoint.h). Plain tensors stay views of the files.
void LoadTorch(const std::filesystem::path& folder, WeightLoader* loader);
void LoadTorchFile(const std::filesystem::path& file, WeightLoader* loader);

// One .gguf file or all parts of a split one.
Checkpoint LoadGguf(const std::filesystem::path& path);
// "a-00002-of-00003.gguf" and the like: opened by way of the first.
bool IsLaterGgufPart(const std::filesystem::path& path);

}  // namespace hearth::runtime

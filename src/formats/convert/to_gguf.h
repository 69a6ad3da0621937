// A checkpoint with its config.json and tokenizer as a GGUF file that llama.cpp reads.
//
// Tensors pass one after another in pieces of some megabytes (matrices that must be turned,
// GPT-2's, whole). Besides llama.cpp's keys the file carries "hearth.config" (config.json as it
// was) and "hearth.tensor_prefix", from which the checkpoint can be made again. Errors:
// kUnimplemented for a model type or a tensor without rules; the writers' and readers' errors.
#pragma once

#include <filesystem>

#include "formats/convert/job.h"
#include "formats/convert/recipe.h"
#include "formats/convert/tensor_source.h"

namespace hearth::convert {

// `folder` holds config.json and, as far as there is one, the tokenizer.
void ConvertToGguf(TensorSource& source, const std::filesystem::path& folder, const Recipe& recipe,
                   const std::filesystem::path& target, const Job& job);

}  // namespace hearth::convert

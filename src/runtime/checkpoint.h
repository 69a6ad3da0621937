// A model's files as the engine takes them: configuration and weights, mapped where the file's
// bytes will do.
//
// Tensors carry the names of the Hugging Face checkpoint, whatever the file is: GGUF names are
// mapped back and row orders restored, tensors stored [in, out] (GPT-2) are turned to [out, in].
// Integer and boolean buffers are left out. One file per kind of source. Errors: kNotFound,
// kInvalidArgument (damaged or contradictory files), kUnimplemented (an element type or file kind
// without reader).
#pragma once

#include <filesystem>
#include <memory>

#include "runtime/model_config.h"
#include "tensor/weights.h"

namespace hearth {
class GgufFile;
}

namespace hearth::runtime {

struct Checkpoint {
  ModelConfig config;
  tensor::WeightSet weights;
  // Where tokenizer.json and the like are; the folder of the file for a single file.
  std::filesystem::path folder;
  // The GGUF file that also holds the tokenizer; empty otherwise.
  std::filesystem::path gguf;
  std::shared_ptr<const GgufFile> gguf_file;  // opened, without its vocabulary; null otherwise
};

// A folder with config.json and weights (safetensors, sharded or not; pytorch_model.bin; one
// .gguf), or a .gguf file.
Checkpoint LoadCheckpoint(const std::filesystem::path& path);

}  // namespace hearth::runtime

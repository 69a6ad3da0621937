// Which files of a repository a model needs: configuration, tokenizer, and one form of its weights.
//
// Repositories hold the same weights several times (safetensors, .bin, .gguf in ten sizes, other
// frameworks); what the runtime would not read is not fetched. Pure. Errors: kNotFound (no model in
// it, or a part of one is missing), kInvalidArgument (several .gguf models and none named).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hearth::client {

enum class ModelParts : uint8_t {
  kAll,        // to run it
  kTokenizer,  // to cut text
};

// Of all the paths of a repository those that are needed, in their order. `file`: a .gguf file of
// it, or empty. Safetensors come before .bin before .gguf; of files in parts all parts.
std::vector<std::string> SelectModelFiles(std::span<const std::string> paths, ModelParts parts,
                                          const std::string& file);
// Whether a path ends in .gguf.
bool IsGguf(const std::string& path);

}  // namespace hearth::client

// LoRA adapters (arXiv 2106.09685) as PEFT saves them: adapter_config.json and
// adapter_model.safetensors (or .bin), a pair of narrow matrices for some of a model's linear
// layers.
//
// A layer W with a pair gives x W^T + scale (x A^T) B^T; the scale is alpha / rank, or alpha /
// sqrt(rank) for rsLoRA, with exceptions per layer by pattern. Pairs name weights of the set that
// the model was loaded into. Format: https://huggingface.co/docs/peft/developer_guides/checkpoint .
// Plain data; loading is not thread-safe. Errors: kNotFound, kInvalidArgument (damaged, or for
// another model), kUnimplemented (other kinds of adapters; pairs of embeddings; trained biases,
// whole layers and magnitudes).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/checkpoint.h"
#include "tensor/weights.h"

namespace hearth::runtime {

struct AdapterPair {
  tensor::Weight weight;
  std::vector<float> a;  // [rank, inputs]
  std::vector<float> b;  // [outputs, rank]
  uint32_t rank = 0;
  float scale = 1;
};

struct Adapter {
  std::string base_model;  // as the adapter names it; may be empty
  std::vector<AdapterPair> pairs;
};

Adapter LoadAdapter(const std::filesystem::path& folder, const Checkpoint& model);

}  // namespace hearth::runtime

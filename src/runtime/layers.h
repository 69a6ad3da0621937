// Settings that many families write alike in config.json, as operations want them, and the ends of
// models that many families share.
#pragma once

#include <string>
#include <string_view>

#include "runtime/architecture.h"
#include "runtime/model_config.h"
#include "tensor/ops.h"

namespace hearth::runtime {

// "gelu", "silu", "gelu_pytorch_tanh", ...; throws kUnimplemented for a name it does not know.
tensor::Activation ParseActivation(std::string_view name);

// rope_parameters, rope_scaling and rope_theta of one kind of layer ("full_attention",
// "sliding_attention"): default, linear, dynamic, llama3, yarn and longrope, as transformers
// computes them. Throws kUnimplemented for another rope_type.
tensor::RopeOptions ParseRope(const ModelConfig& config, uint32_t head_dim,
                              std::string_view layer_type = "full_attention");

// The most tokens that a text may have: "max_position_embeddings", and for dynamic rotary positions
// as many times more as their "factor" says.
uint32_t LongestText(const ModelConfig& config);

// Layer `layer`'s entry of "layer_types"; empty when the list does not name it.
std::string LayerType(const ModelConfig& config, uint32_t layer);

// The number of heads and what follows from it. Throws kInvalidArgument unless `heads` and
// `kv_heads` divide as attention needs it.
void CheckHeads(const ModelShape& shape);

// <name>.weight and .bias as a layer norm.
tensor::NormOptions LayerNorm(const ModelContext& context, const std::string& name, float epsilon);

// How a decoder's states become logits.
struct VocabularyLayer {
  std::string weight = "lm_head.weight";
  std::string tied = "embed_tokens.weight";  // where `weight` is absent
  std::string bias = "lm_head.bias";
  float scale = 1;    // of the logits
  float softcap = 0;  // 0: none
};

// What follows a decoder's last norm: the outputs of every head that decoders have.
void DecoderOutput(const ModelContext& context, tensor::Builder& builder, tensor::Value states,
                   const VocabularyLayer& vocabulary);

}  // namespace hearth::runtime

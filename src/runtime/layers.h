// Settings that many families write alike in config.json, as operations want them.
#pragma once

#include <string_view>

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

}  // namespace hearth::runtime

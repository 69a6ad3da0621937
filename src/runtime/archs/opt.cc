// OPT (arXiv 2205.01068): a GPT whose positions are counted from 2. Norms stand before the
// sublayers, or after them (the 350M model, whose embeddings are narrower too).
#include <algorithm>
#include <cmath>
#include <string>

#include "runtime/architecture.h"
#include "runtime/layers.h"

namespace hearth::runtime {
namespace {

using tensor::Activation;
using tensor::AttentionOptions;
using tensor::Builder;
using tensor::NormOptions;
using tensor::TokenInput;
using tensor::Value;

// The table's first rows belong to no position.
constexpr uint32_t kPositionOffset = 2;
constexpr float kEpsilon = 1e-5f;

ModelShape Shape(const ModelConfig& config) {
  ModelShape shape;
  shape.vocabulary = config.RequireCount({"vocab_size"});
  shape.hidden = config.RequireCount({"hidden_size"});
  shape.layers = config.RequireCount({"num_hidden_layers"}, 4096);
  shape.heads = shape.kv_heads = config.RequireCount({"num_attention_heads"}, 65536);
  shape.head_dim = shape.hidden / std::max(shape.heads, 1u);
  CheckHeads(shape);
  shape.max_tokens = config.Count({"max_position_embeddings"}, 2048u);
  shape.is_decoder = true;
  return shape;
}

// Norms may be without weights.
NormOptions Norm(const ModelContext& context, const std::string& name) {
  NormOptions options;
  options.weight = context.Maybe(name + ".weight");
  options.bias = context.Maybe(name + ".bias");
  options.epsilon = kEpsilon;
  return options;
}

Value Attend(const ModelContext& context, Builder& b, Value x, uint32_t layer,
             const std::string& at) {
  ModelShape shape = Shape(context.config());
  AttentionOptions options;
  options.heads = options.kv_heads = shape.heads;
  options.head_dim = shape.head_dim;
  options.scale = 1 / std::sqrt(static_cast<float>(shape.head_dim));
  options.causal = true;
  options.cache_layer = static_cast<int32_t>(layer);
  Value mixed =
      b.Attention(context.Linear(b, x, at + "q_proj"), context.Linear(b, x, at + "k_proj"),
                  context.Linear(b, x, at + "v_proj"), options);
  return context.Linear(b, mixed, at + "out_proj");
}

Value Forward(const ModelContext& context, Builder& b) {
  const ModelConfig& config = context.config();
  ModelShape shape = Shape(config);
  bool before = config.Flag({"do_layer_norm_before"}, true);
  Activation activation = ParseActivation(config.Text({"activation_function"}, "relu"));
  auto norm_if = [&](bool here, Value x, const std::string& name) {
    return here ? b.Norm(x, Norm(context, name)) : x;
  };
  Value x = b.Embed(context.Need("decoder.embed_tokens.weight"), TokenInput::kIds);
  if (context.Maybe("decoder.project_in.weight")) x = context.Linear(b, x, "decoder.project_in");
  x = b.Add(x, b.Embed(context.Need("decoder.embed_positions.weight"), TokenInput::kPositions, 1,
                       kPositionOffset));
  for (uint32_t layer = 0; layer < shape.layers; ++layer) {
    std::string at = "decoder.layers." + std::to_string(layer) + ".";
    Value mixed = Attend(context, b, norm_if(before, x, at + "self_attn_layer_norm"), layer,
                         at + "self_attn.");
    x = norm_if(!before, b.Add(mixed, x), at + "self_attn_layer_norm");
    Value up = context.Linear(b, norm_if(before, x, at + "final_layer_norm"), at + "fc1");
    Value down = context.Linear(b, b.Activate(up, activation), at + "fc2");
    x = norm_if(!before, b.Add(down, x), at + "final_layer_norm");
  }
  bool last_norm = before && !config.Flag({"_remove_final_layer_norm"}, false);
  x = norm_if(last_norm, x, "decoder.final_layer_norm");
  if (context.Maybe("decoder.project_out.weight")) x = context.Linear(b, x, "decoder.project_out");
  VocabularyLayer vocabulary;
  vocabulary.tied = "decoder.embed_tokens.weight";
  DecoderOutput(context, b, x, vocabulary);
  return x;
}

constexpr Architecture kArchitectures[] = {{"opt", "model.", Shape, Forward}};

}  // namespace

std::span<const Architecture> OptFamily() { return kArchitectures; }

}  // namespace hearth::runtime

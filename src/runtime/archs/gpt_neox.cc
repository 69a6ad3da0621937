// GPT-NeoX (arXiv 2204.06745) and Pythia: decoders whose attention and feed-forward part read the
// same state and are added to it together, with rotary positions in a part of each head.
// Checkpoints interleave the fused projection's rows per head; the loader puts queries, keys and
// values one after another.
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
using tensor::RopeOptions;
using tensor::TokenInput;
using tensor::Value;

ModelShape Shape(const ModelConfig& config) {
  ModelShape shape;
  shape.vocabulary = config.RequireCount({"vocab_size"});
  shape.hidden = config.RequireCount({"hidden_size"});
  shape.layers = config.RequireCount({"num_hidden_layers"}, 4096);
  shape.heads = shape.kv_heads = config.RequireCount({"num_attention_heads"}, 65536);
  shape.head_dim = shape.hidden / std::max(shape.heads, 1u);
  CheckHeads(shape);
  shape.max_tokens = LongestText(config);
  shape.is_decoder = true;
  return shape;
}

struct Plan {
  AttentionOptions attention;
  RopeOptions rope;
};

Plan MakePlan(const ModelConfig& config, const ModelShape& shape) {
  Plan plan;
  plan.attention.heads = plan.attention.kv_heads = shape.heads;
  plan.attention.head_dim = shape.head_dim;
  plan.attention.scale = 1 / std::sqrt(static_cast<float>(shape.head_dim));
  plan.attention.causal = true;
  plan.rope = ParseRope(config, shape.head_dim);
  return plan;
}

Value Attend(const ModelContext& context, Builder& b, const Plan& plan, Value x,
             const std::string& at) {
  uint32_t size = plan.attention.heads * plan.attention.head_dim;
  Value qkv = context.Linear(b, x, at + "query_key_value");
  Value q = b.Rope(b.Columns(qkv, 0, size), plan.rope);
  Value k = b.Rope(b.Columns(qkv, size, size), plan.rope);
  Value mixed = b.Attention(q, k, b.Columns(qkv, 2 * size, size), plan.attention);
  return context.Linear(b, mixed, at + "dense");
}

Value Forward(const ModelContext& context, Builder& b) {
  const ModelConfig& config = context.config();
  ModelShape shape = Shape(config);
  Plan plan = MakePlan(config, shape);
  float epsilon = config.Real({"layer_norm_eps"}, 1e-5f);
  bool parallel = config.Flag({"use_parallel_residual"}, true);
  Activation activation = ParseActivation(config.Text({"hidden_act"}, "gelu"));
  Value x = b.Embed(context.Need("embed_in.weight"), TokenInput::kIds);
  for (uint32_t layer = 0; layer < shape.layers; ++layer) {
    std::string at = "layers." + std::to_string(layer) + ".";
    plan.attention.cache_layer = static_cast<int32_t>(layer);
    Value mixed =
        Attend(context, b, plan, b.Norm(x, LayerNorm(context, at + "input_layernorm", epsilon)),
               at + "attention.");
    Value sum = b.Add(mixed, x);
    Value norm =
        b.Norm(parallel ? x : sum, LayerNorm(context, at + "post_attention_layernorm", epsilon));
    Value up = b.Activate(context.Linear(b, norm, at + "mlp.dense_h_to_4h"), activation);
    x = b.Add(context.Linear(b, up, at + "mlp.dense_4h_to_h"), sum);
  }
  x = b.Norm(x, LayerNorm(context, "final_layer_norm", epsilon));
  VocabularyLayer vocabulary;
  vocabulary.weight = context.Maybe("embed_out.weight") ? "embed_out.weight" : "lm_head.weight";
  vocabulary.tied = "embed_in.weight";
  DecoderOutput(context, b, x, vocabulary);
  return x;
}

constexpr Architecture kArchitectures[] = {{"gpt_neox", "gpt_neox.", Shape, Forward}};

}  // namespace

std::span<const Architecture> GptNeoxFamily() { return kArchitectures; }

}  // namespace hearth::runtime

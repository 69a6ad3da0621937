// GPT-2 (Radford et al., 2019) and DistilGPT-2: decoders with learned positions, layer norms and a
// plain feed-forward part. Checkpoints store the layers' matrices as [in, out]; the loader turns
// them.
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
using tensor::TokenInput;
using tensor::Value;

ModelShape Shape(const ModelConfig& config) {
  ModelShape shape;
  shape.vocabulary = config.RequireCount({"vocab_size"});
  shape.hidden = config.RequireCount({"n_embd", "hidden_size"});
  shape.layers = config.RequireCount({"n_layer", "num_hidden_layers"}, 4096);
  shape.heads = shape.kv_heads = config.RequireCount({"n_head", "num_attention_heads"}, 65536);
  shape.head_dim = shape.hidden / std::max(shape.heads, 1u);
  CheckHeads(shape);
  shape.max_tokens = config.Count({"n_positions", "n_ctx", "max_position_embeddings"}, 1024u);
  shape.is_decoder = true;
  return shape;
}

AttentionOptions Attention(const ModelConfig& config, const ModelShape& shape, uint32_t layer) {
  AttentionOptions options;
  options.heads = options.kv_heads = shape.heads;
  options.head_dim = shape.head_dim;
  options.causal = true;
  options.cache_layer = static_cast<int32_t>(layer);
  options.scale = 1;
  if (config.Flag({"scale_attn_weights"}, true)) {
    options.scale = 1 / std::sqrt(static_cast<float>(shape.head_dim));
  }
  if (config.Flag({"scale_attn_by_inverse_layer_idx"}, false)) {
    options.scale /= static_cast<float>(layer + 1);
  }
  return options;
}

Value Forward(const ModelContext& context, Builder& b) {
  const ModelConfig& config = context.config();
  ModelShape shape = Shape(config);
  float epsilon = config.Real({"layer_norm_epsilon"}, 1e-5f);
  Activation activation = ParseActivation(config.Text({"activation_function"}, "gelu_new"));
  Value x = b.Add(b.Embed(context.Need("wte.weight"), TokenInput::kIds),
                  b.Embed(context.Need("wpe.weight"), TokenInput::kPositions));
  for (uint32_t layer = 0; layer < shape.layers; ++layer) {
    std::string at = "h." + std::to_string(layer) + ".";
    Value qkv =
        context.Linear(b, b.Norm(x, LayerNorm(context, at + "ln_1", epsilon)), at + "attn.c_attn");
    Value mixed = b.Attention(
        b.Columns(qkv, 0, shape.hidden), b.Columns(qkv, shape.hidden, shape.hidden),
        b.Columns(qkv, 2 * shape.hidden, shape.hidden), Attention(config, shape, layer));
    x = b.Add(context.Linear(b, mixed, at + "attn.c_proj"), x);
    Value up =
        context.Linear(b, b.Norm(x, LayerNorm(context, at + "ln_2", epsilon)), at + "mlp.c_fc");
    x = b.Add(context.Linear(b, b.Activate(up, activation), at + "mlp.c_proj"), x);
  }
  x = b.Norm(x, LayerNorm(context, "ln_f", epsilon));
  VocabularyLayer vocabulary;
  vocabulary.tied = "wte.weight";
  DecoderOutput(context, b, x, vocabulary);
  return x;
}

constexpr Architecture kArchitectures[] = {{"gpt2", "transformer.", Shape, Forward}};

}  // namespace

std::span<const Architecture> Gpt2Family() { return kArchitectures; }

}  // namespace hearth::runtime

// GPT-2, OPT and GPT-NeoX: decoders with layer norms and a plain feed-forward part.
#include "formats/convert/architecture.h"

namespace hearth::convert {
namespace {

#define BOTH(hf, gguf) \
  {hf ".weight", gguf ".weight"}, { hf ".bias", gguf ".bias" }
#define TRANSPOSED(hf, gguf) \
  {hf ".weight", gguf ".weight", Transform::kTransposed}, { hf ".bias", gguf ".bias" }

constexpr TensorRule kGpt2[] = {
    {"wte.weight", "token_embd.weight"},
    {"wpe.weight", "position_embd.weight"},
    BOTH("ln_f", "output_norm"),
    {"!lm_head.weight", "output.weight"},
    BOTH("h.#.ln_1", "blk.#.attn_norm"),
    TRANSPOSED("h.#.attn.c_attn", "blk.#.attn_qkv"),
    TRANSPOSED("h.#.attn.c_proj", "blk.#.attn_output"),
    BOTH("h.#.ln_2", "blk.#.ffn_norm"),
    TRANSPOSED("h.#.mlp.c_fc", "blk.#.ffn_up"),
    TRANSPOSED("h.#.mlp.c_proj", "blk.#.ffn_down"),
};

constexpr TensorRule kOpt[] = {
    {"decoder.embed_tokens.weight", "token_embd.weight"},
    {"decoder.embed_positions.weight", "position_embd.weight", Transform::kSkipPositions},
    {"decoder.project_in.weight", "token_embd_proj.weight"},
    {"decoder.project_out.weight", "output_proj.weight"},
    BOTH("decoder.final_layer_norm", "output_norm"),
    {"!lm_head.weight", "output.weight"},
    BOTH("decoder.layers.#.self_attn_layer_norm", "blk.#.attn_norm"),
    BOTH("decoder.layers.#.self_attn.q_proj", "blk.#.attn_q"),
    BOTH("decoder.layers.#.self_attn.k_proj", "blk.#.attn_k"),
    BOTH("decoder.layers.#.self_attn.v_proj", "blk.#.attn_v"),
    BOTH("decoder.layers.#.self_attn.out_proj", "blk.#.attn_output"),
    BOTH("decoder.layers.#.final_layer_norm", "blk.#.ffn_norm"),
    BOTH("decoder.layers.#.fc1", "blk.#.ffn_up"),
    BOTH("decoder.layers.#.fc2", "blk.#.ffn_down"),
};

constexpr TensorRule kGptNeox[] = {
    {"embed_in.weight", "token_embd.weight"},
    BOTH("final_layer_norm", "output_norm"),
    {"!embed_out.weight", "output.weight"},
    {"!lm_head.weight", "output.weight"},
    BOTH("layers.#.input_layernorm", "blk.#.attn_norm"),
    {"layers.#.attention.query_key_value.weight", "blk.#.attn_qkv.weight", Transform::kFusedHeads},
    {"layers.#.attention.query_key_value.bias", "blk.#.attn_qkv.bias", Transform::kFusedHeads},
    BOTH("layers.#.attention.dense", "blk.#.attn_output"),
    BOTH("layers.#.post_attention_layernorm", "blk.#.ffn_norm"),
    BOTH("layers.#.mlp.dense_h_to_4h", "blk.#.ffn_up"),
    BOTH("layers.#.mlp.dense_4h_to_h", "blk.#.ffn_down"),
};

// Causal masks and rotary tables.
constexpr std::string_view kBuffers[] = {"*.attn.bias", "*.masked_bias", "*.attention.bias",
                                         "*.rotary_emb.inv_freq"};

void AddGpt2Keys(KeyWriter& keys) {
  if (auto size = keys.Count({"n_embd"})) keys.PutCount("feed_forward_length", 4 * *size);
}

void AddOptKeys(KeyWriter& keys) {
  keys.PutReal("attention.layer_norm_epsilon", 1e-5);
  const Json* before = keys.config().Find("do_layer_norm_before");
  keys.PutFlag("norm_before", before == nullptr || before->AsBool().value_or(true));
}

void AddGptNeoxKeys(KeyWriter& keys) {
  const Json* share = keys.Rope("partial_rotary_factor");
  if (share == nullptr) share = keys.config().Find("rotary_pct");
  auto size = keys.Count({"hidden_size"}), heads = keys.Count({"num_attention_heads"});
  if (share != nullptr && share->AsDouble() && size && heads && *heads > 0) {
    keys.PutCount("rope.dimension_count",
                  static_cast<uint64_t>(*share->AsDouble() * static_cast<double>(*size / *heads)));
  }
  const Json* parallel = keys.config().Find("use_parallel_residual");
  keys.PutFlag("use_parallel_residual", parallel == nullptr || parallel->AsBool().value_or(true));
}

constexpr Architecture kArchitectures[] = {
    {"gpt2", "gpt2", "transformer.", kGpt2, kBuffers, AddGpt2Keys},
    {"gpt_neox", "gptneox", "gpt_neox.", kGptNeox, kBuffers, AddGptNeoxKeys},
    {"opt", "opt", "model.", kOpt, kBuffers, AddOptKeys},
};

}  // namespace

std::span<const Architecture> Gpt2Architectures() { return kArchitectures; }

}  // namespace hearth::convert

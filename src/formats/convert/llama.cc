// Llama, Mistral, SmolLM, SmolLM3, Qwen2, Qwen3, Phi-3, Gemma 1 to 3, Granite: decoders with RMS
// norms, rotary positions and a gated feed-forward part.
#include <cmath>

#include "formats/convert/architecture.h"

namespace hearth::convert {
namespace {

#define OUTSIDE                                                                          \
  {"embed_tokens.weight", "token_embd.weight"}, {"norm.weight", "output_norm.weight"}, { \
    "!lm_head.weight", "output.weight"                                                   \
  }
#define BOTH(hf, gguf, transform) \
  {hf ".weight", gguf ".weight", transform}, { hf ".bias", gguf ".bias", transform }
#define SEPARATE(q, k)                                                     \
  BOTH("layers.#.self_attn.q_proj", "blk.#.attn_q", q),                    \
      BOTH("layers.#.self_attn.k_proj", "blk.#.attn_k", k),                \
      BOTH("layers.#.self_attn.v_proj", "blk.#.attn_v", Transform::kNone), \
      BOTH("layers.#.self_attn.o_proj", "blk.#.attn_output", Transform::kNone)
#define GATED                                                         \
  BOTH("layers.#.mlp.gate_proj", "blk.#.ffn_gate", Transform::kNone), \
      BOTH("layers.#.mlp.up_proj", "blk.#.ffn_up", Transform::kNone), \
      BOTH("layers.#.mlp.down_proj", "blk.#.ffn_down", Transform::kNone)
#define TWO_NORMS                                                       \
  {"layers.#.input_layernorm.weight", "blk.#.attn_norm.weight"}, {      \
    "layers.#.post_attention_layernorm.weight", "blk.#.ffn_norm.weight" \
  }

constexpr TensorRule kLlama[] = {OUTSIDE, TWO_NORMS,
                                 SEPARATE(Transform::kRotaryQ, Transform::kRotaryK), GATED};
constexpr TensorRule kQwen2[] = {OUTSIDE, TWO_NORMS, SEPARATE(Transform::kNone, Transform::kNone),
                                 GATED};
constexpr TensorRule kQwen3[] = {
    OUTSIDE,
    TWO_NORMS,
    SEPARATE(Transform::kNone, Transform::kNone),
    {"layers.#.self_attn.q_norm.weight", "blk.#.attn_q_norm.weight"},
    {"layers.#.self_attn.k_norm.weight", "blk.#.attn_k_norm.weight"},
    GATED,
};
constexpr TensorRule kPhi3[] = {
    OUTSIDE,
    TWO_NORMS,
    {"layers.#.self_attn.qkv_proj.weight", "blk.#.attn_qkv.weight"},
    {"layers.#.self_attn.o_proj.weight", "blk.#.attn_output.weight"},
    {"layers.#.mlp.gate_up_proj.weight", "blk.#.ffn_up.weight"},
    {"layers.#.mlp.down_proj.weight", "blk.#.ffn_down.weight"},
};
constexpr TensorRule kGemma1[] = {
    {"embed_tokens.weight", "token_embd.weight"},
    {"norm.weight", "output_norm.weight", Transform::kPlusOne},
    {"layers.#.input_layernorm.weight", "blk.#.attn_norm.weight", Transform::kPlusOne},
    {"layers.#.post_attention_layernorm.weight", "blk.#.ffn_norm.weight", Transform::kPlusOne},
    SEPARATE(Transform::kNone, Transform::kNone),
    GATED,
};
constexpr TensorRule kGemma[] = {
    {"embed_tokens.weight", "token_embd.weight"},
    {"norm.weight", "output_norm.weight", Transform::kPlusOne},
    {"layers.#.input_layernorm.weight", "blk.#.attn_norm.weight", Transform::kPlusOne},
    SEPARATE(Transform::kNone, Transform::kNone),
    {"layers.#.self_attn.q_norm.weight", "blk.#.attn_q_norm.weight", Transform::kPlusOne},
    {"layers.#.self_attn.k_norm.weight", "blk.#.attn_k_norm.weight", Transform::kPlusOne},
    {"layers.#.post_attention_layernorm.weight", "blk.#.post_attention_norm.weight",
     Transform::kPlusOne},
    {"layers.#.pre_feedforward_layernorm.weight", "blk.#.ffn_norm.weight", Transform::kPlusOne},
    {"layers.#.post_feedforward_layernorm.weight", "blk.#.post_ffw_norm.weight",
     Transform::kPlusOne},
    GATED,
};

// Tables that older checkpoints carry, and an output that Gemma shares with its embedding.
constexpr std::string_view kBuffers[] = {"*.rotary_emb.inv_freq", "*.masked_bias"};
constexpr std::string_view kGemmaDropped[] = {"*.rotary_emb.inv_freq", "lm_head.weight"};

std::optional<uint64_t> HeadDim(const KeyWriter& keys) {
  if (auto given = keys.Count({"head_dim"})) return given;
  auto size = keys.Count({"hidden_size"}), heads = keys.Count({"num_attention_heads"});
  if (!size || !heads || *heads == 0) return std::nullopt;
  return *size / *heads;
}

void AddLlamaKeys(KeyWriter& keys) {
  keys.PutCount("rope.dimension_count", HeadDim(keys));
  keys.PutCount("attention.key_length", keys.Count({"head_dim"}));
  keys.PutCount("attention.value_length", keys.Count({"head_dim"}));
}

void AddMistralKeys(KeyWriter& keys) {
  AddLlamaKeys(keys);
  // llama.cpp's converter leaves it out; its programs do not look at it.
  keys.PutCount("attention.sliding_window", keys.Count({"sliding_window"}));
}

void AddQwenKeys(KeyWriter& keys) {
  keys.PutCount("attention.key_length", keys.Count({"head_dim"}));
  keys.PutCount("attention.value_length", keys.Count({"head_dim"}));
}

void AddPhi3Keys(KeyWriter& keys) {
  const Json* part = keys.Rope("partial_rotary_factor");
  double share = part != nullptr ? part->AsDouble().value_or(1.0) : 1.0;
  auto size = keys.Count({"hidden_size"}), heads = keys.Count({"num_attention_heads"});
  if (size && heads && *heads > 0) {
    keys.PutCount("rope.dimension_count",
                  static_cast<uint64_t>(share * static_cast<double>(*size)) / *heads);
  }
  const Json* original = keys.Rope("original_max_position_embeddings");
  keys.PutCount("rope.scaling.original_context_length",
                original != nullptr ? original->AsUint() : keys.Count({"max_position_embeddings"}));
  // Zero tells Phi-4 from Phi-3.
  keys.PutCount("attention.sliding_window", keys.Count({"sliding_window"}).value_or(0));
}

// Every how many layers one sees all tokens, where "layer_types" has such a rhythm.
std::optional<uint64_t> WindowPattern(const Json& config) {
  const Json* types = config.Find("layer_types");
  const Json::Array* list = types != nullptr ? types->AsArray() : nullptr;
  if (list == nullptr) return std::nullopt;
  auto is_full = [&](size_t layer) { return (*list)[layer] == Json("full_attention"); };
  size_t every = 1;
  while (every <= list->size() && !is_full(every - 1)) ++every;
  if (every > list->size()) return std::nullopt;
  for (size_t layer = 0; layer < list->size(); ++layer) {
    if (is_full(layer) != ((layer + 1) % every == 0)) return std::nullopt;
  }
  return every;
}

void AddGemmaKeys(KeyWriter& keys) {
  uint64_t head_dim = keys.Count({"head_dim"}).value_or(256);
  auto scalar = keys.Real({"query_pre_attn_scalar"});
  if (scalar && *scalar > 0 && *scalar != static_cast<double>(head_dim)) {
    // Not read by llama.cpp, which knows the models where it differs by their size.
    keys.PutReal("attention.scale", 1 / std::sqrt(*scalar));
  }
  keys.PutCount("attention.sliding_window_pattern", WindowPattern(keys.config()));
  keys.PutCount("attention.key_length", head_dim);
  keys.PutCount("attention.value_length", keys.Count({"head_dim"}).value_or(256));
  keys.PutReal("attn_logit_softcapping", keys.Real({"attn_logit_softcapping"}));
  keys.PutReal("final_logit_softcapping", keys.Real({"final_logit_softcapping"}));
  keys.PutCount("attention.sliding_window", keys.Count({"sliding_window"}));
  const Json* local = keys.Rope("rope_theta", "sliding_attention");
  const Json* global = keys.Rope("rope_theta");
  if (local != nullptr && global != nullptr && !(*local == *global)) {
    keys.PutReal("rope.freq_base_swa", local->AsDouble());
  }
}

void AddGraniteKeys(KeyWriter& keys) {
  keys.PutCount("rope.dimension_count", HeadDim(keys));
  keys.PutReal("attention.scale", keys.Real({"attention_multiplier"}));
  keys.PutReal("embedding_scale", keys.Real({"embedding_multiplier"}));
  keys.PutReal("residual_scale", keys.Real({"residual_multiplier"}));
  keys.PutReal("logit_scale", keys.Real({"logits_scaling"}));
}

constexpr Architecture kArchitectures[] = {
    {"gemma", "gemma", "model.", kGemma1, kGemmaDropped, AddGemmaKeys},
    {"gemma2", "gemma2", "model.", kGemma, kGemmaDropped, AddGemmaKeys},
    {"gemma3_text", "gemma3", "model.", kGemma, kGemmaDropped, AddGemmaKeys},
    {"granite", "granite", "model.", kLlama, kBuffers, AddGraniteKeys},
    {"llama", "llama", "model.", kLlama, kBuffers, AddLlamaKeys},
    {"mistral", "llama", "model.", kLlama, kBuffers, AddMistralKeys},
    {"phi3", "phi3", "model.", kPhi3, kBuffers, AddPhi3Keys},
    {"qwen2", "qwen2", "model.", kQwen2, kBuffers, AddQwenKeys},
    {"qwen3", "qwen3", "model.", kQwen3, kBuffers, AddQwenKeys},
    {"smollm3", "smollm3", "model.", kLlama, kBuffers, AddLlamaKeys},
};

}  // namespace

std::span<const Architecture> LlamaArchitectures() { return kArchitectures; }

}  // namespace hearth::convert

// ModernBERT and Nomic-BERT: encoders with rotary positions and fused projections.
#include "formats/convert/architecture.h"

namespace hearth::convert {
namespace {

constexpr TensorRule kModernBert[] = {
    {"embeddings.tok_embeddings.weight", "token_embd.weight"},
    {"embeddings.norm.weight", "token_embd_norm.weight"},
    {"final_norm.weight", "output_norm.weight"},
    {"layers.#.attn_norm.weight", "blk.#.attn_norm.weight"},
    {"layers.#.attn.Wqkv.weight", "blk.#.attn_qkv.weight"},
    {"layers.#.attn.Wo.weight", "blk.#.attn_output.weight"},
    {"layers.#.mlp_norm.weight", "blk.#.ffn_norm.weight"},
    {"layers.#.mlp.Wi.weight", "blk.#.ffn_up.weight"},
    {"layers.#.mlp.Wo.weight", "blk.#.ffn_down.weight"},
};

constexpr TensorRule kNomicBert[] = {
    {"embeddings.word_embeddings.weight", "token_embd.weight"},
    {"embeddings.token_type_embeddings.weight", "token_types.weight"},
    {"emb_ln.weight", "token_embd_norm.weight"},
    {"emb_ln.bias", "token_embd_norm.bias"},
    {"encoder.layers.#.attn.Wqkv.weight", "blk.#.attn_qkv.weight"},
    {"encoder.layers.#.attn.out_proj.weight", "blk.#.attn_output.weight"},
    {"encoder.layers.#.norm1.weight", "blk.#.attn_output_norm.weight"},
    {"encoder.layers.#.norm1.bias", "blk.#.attn_output_norm.bias"},
    {"encoder.layers.#.mlp.fc11.weight", "blk.#.ffn_up.weight"},
    {"encoder.layers.#.mlp.fc12.weight", "blk.#.ffn_gate.weight"},
    {"encoder.layers.#.mlp.fc2.weight", "blk.#.ffn_down.weight"},
    {"encoder.layers.#.norm2.weight", "blk.#.layer_output_norm.weight"},
    {"encoder.layers.#.norm2.bias", "blk.#.layer_output_norm.bias"},
};

constexpr std::string_view kDropped[] = {"head.", "decoder.", "classifier.", "pooler.", "cls."};

void AddModernBertKeys(KeyWriter& keys) {
  keys.PutFlag("attention.causal", false);
  keys.PutCount("attention.sliding_window", keys.Count({"local_attention"}));
  keys.PutCount("attention.sliding_window_pattern", keys.Count({"global_attn_every_n_layers"}));
  keys.PutText("rope.scaling.type", "none");
  auto theta = [&](const char* kind, const char* old) {
    const Json* value = keys.Rope("rope_theta", kind);
    return value != nullptr ? value->AsDouble() : keys.Real({old});
  };
  keys.PutReal("rope.freq_base", theta("full_attention", "global_rope_theta"));
  keys.PutReal("rope.freq_base_swa", theta("sliding_attention", "local_rope_theta"));
  const Json* act = keys.config().Find("hidden_activation");
  if (act != nullptr && act->is_string()) keys.PutText("hidden_activation", *act->AsString());
}

void AddNomicBertKeys(KeyWriter& keys) {
  keys.PutFlag("attention.causal", false);
  keys.PutReal("rope.freq_base", keys.Real({"rotary_emb_base"}));
}

constexpr Architecture kArchitectures[] = {
    {"modernbert", "modern-bert", "model.", kModernBert, kDropped, AddModernBertKeys},
    {"nomic_bert", "nomic-bert", "bert.", kNomicBert, kDropped, AddNomicBertKeys},
};

}  // namespace

std::span<const Architecture> ModernBertArchitectures() { return kArchitectures; }

}  // namespace hearth::convert

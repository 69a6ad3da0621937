// BERT, RoBERTa, XLM-RoBERTa, DistilBERT and MPNet: encoders with learned positions and a norm
// after each sublayer. All but MPNet are "bert" in GGUF. Heads and the pooler have no place there.
#include "formats/convert/architecture.h"

namespace hearth::convert {
namespace {

#define EMBEDDINGS(positions)                                                       \
  {"embeddings.word_embeddings.weight", "token_embd.weight"},                       \
      {"embeddings.token_type_embeddings.weight", "token_types.weight"},            \
      {"embeddings.position_embeddings.weight", "position_embd.weight", positions}, \
      {"embeddings.LayerNorm.weight", "token_embd_norm.weight"}, {                  \
    "embeddings.LayerNorm.bias", "token_embd_norm.bias"                             \
  }
#define BOTH(hf, gguf) \
  {hf ".weight", gguf ".weight"}, { hf ".bias", gguf ".bias" }

#define BERT_LAYERS                                                        \
  BOTH("encoder.layer.#.attention.self.query", "blk.#.attn_q"),            \
      BOTH("encoder.layer.#.attention.self.key", "blk.#.attn_k"),          \
      BOTH("encoder.layer.#.attention.self.value", "blk.#.attn_v"),        \
      BOTH("encoder.layer.#.attention.output.dense", "blk.#.attn_output"), \
      BOTH("encoder.layer.#.attention.output.LayerNorm", "blk.#.attn_output_norm")
#define FEED_FORWARD                                          \
  BOTH("encoder.layer.#.intermediate.dense", "blk.#.ffn_up"), \
      BOTH("encoder.layer.#.output.dense", "blk.#.ffn_down"), \
      BOTH("encoder.layer.#.output.LayerNorm", "blk.#.layer_output_norm")

constexpr TensorRule kBert[] = {EMBEDDINGS(Transform::kNone), BERT_LAYERS, FEED_FORWARD};
// Positions count from the padding token's id + 1.
constexpr TensorRule kRoberta[] = {EMBEDDINGS(Transform::kSkipPositions), BERT_LAYERS,
                                   FEED_FORWARD};

constexpr TensorRule kMpnet[] = {
    EMBEDDINGS(Transform::kSkipPositions),
    {"encoder.relative_attention_bias.weight", "attn_rel_b.weight"},
    BOTH("encoder.layer.#.attention.attn.q", "blk.#.attn_q"),
    BOTH("encoder.layer.#.attention.attn.k", "blk.#.attn_k"),
    BOTH("encoder.layer.#.attention.attn.v", "blk.#.attn_v"),
    BOTH("encoder.layer.#.attention.attn.o", "blk.#.attn_output"),
    BOTH("encoder.layer.#.attention.LayerNorm", "blk.#.attn_output_norm"),
    FEED_FORWARD,
};

constexpr TensorRule kDistilBert[] = {
    EMBEDDINGS(Transform::kNone),
    BOTH("transformer.layer.#.attention.q_lin", "blk.#.attn_q"),
    BOTH("transformer.layer.#.attention.k_lin", "blk.#.attn_k"),
    BOTH("transformer.layer.#.attention.v_lin", "blk.#.attn_v"),
    BOTH("transformer.layer.#.attention.out_lin", "blk.#.attn_output"),
    BOTH("transformer.layer.#.sa_layer_norm", "blk.#.attn_output_norm"),
    BOTH("transformer.layer.#.ffn.lin1", "blk.#.ffn_up"),
    BOTH("transformer.layer.#.ffn.lin2", "blk.#.ffn_down"),
    BOTH("transformer.layer.#.output_layer_norm", "blk.#.layer_output_norm"),
};

constexpr std::string_view kDropped[] = {
    "embeddings.position_ids", "pooler.", "cls.", "lm_head.", "classifier.", "qa_outputs.",
    "pre_classifier.",         "vocab_"};

void AddKeys(KeyWriter& keys) {
  // DistilBERT's norms have this epsilon, and its configuration does not say so.
  keys.PutReal("attention.layer_norm_epsilon", 1e-12);
  keys.PutFlag("attention.causal", false);
}

// Of RoBERTa's position rows, those up to the padding token's stand for no position.
void AddRobertaKeys(KeyWriter& keys) { AddKeys(keys); }

constexpr Architecture kArchitectures[] = {
    {"bert", "bert", "bert.", kBert, kDropped, AddKeys},
    {"camembert", "bert", "roberta.", kRoberta, kDropped, AddRobertaKeys},
    {"distilbert", "bert", "distilbert.", kDistilBert, kDropped, AddKeys},
    {"mpnet", "mpnet", "mpnet.", kMpnet, kDropped, AddRobertaKeys},
    {"roberta", "bert", "roberta.", kRoberta, kDropped, AddRobertaKeys},
    {"xlm-roberta", "bert", "roberta.", kRoberta, kDropped, AddRobertaKeys},
};

}  // namespace

std::span<const Architecture> BertArchitectures() { return kArchitectures; }

}  // namespace hearth::convert

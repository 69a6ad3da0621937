// BERT and its relatives: encoders with learned positions and a norm after each sublayer.
//
// BERT (arXiv 1810.04805), RoBERTa, XLM-RoBERTa, CamemBERT (positions counted from the padding id
// + 1, another head), DistilBERT (no token types, no pooler, other names), MPNet (relative
// positions in the attention's scores), ELECTRA (narrower embeddings and a layer that widens them).
// Tensor names differ, the computation hardly: a table of names per family.
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
using tensor::Pooling;
using tensor::TokenInput;
using tensor::Value;
using tensor::Weight;

struct Names {
  std::string layer;  // before the layer's number
  std::string query, key, value, attention_output, attention_norm;
  std::string up, down, output_norm;
};

const Names kBertNames{
    "encoder.layer.",       "attention.self.query",   "attention.self.key",
    "attention.self.value", "attention.output.dense", "attention.output.LayerNorm",
    "intermediate.dense",   "output.dense",           "output.LayerNorm"};
const Names kMpnetNames{"encoder.layer.",     "attention.attn.q", "attention.attn.k",
                        "attention.attn.v",   "attention.attn.o", "attention.LayerNorm",
                        "intermediate.dense", "output.dense",     "output.LayerNorm"};
const Names kDistilNames{"transformer.layer.", "attention.q_lin",   "attention.k_lin",
                         "attention.v_lin",    "attention.out_lin", "sa_layer_norm",
                         "ffn.lin1",           "ffn.lin2",          "output_layer_norm"};

bool CountsFromPadding(std::string_view type) {
  return type == "roberta" || type == "xlm-roberta" || type == "camembert" || type == "mpnet";
}

uint32_t PositionOffset(const ModelConfig& config) {
  if (!CountsFromPadding(config.model_type())) return 0;
  return config.Count({"pad_token_id"}, 1u) + 1;
}

ModelShape Shape(const ModelConfig& config) {
  ModelShape shape;
  shape.vocabulary = config.RequireCount({"vocab_size"});
  shape.hidden = config.RequireCount({"hidden_size", "dim"});
  shape.layers = config.RequireCount({"num_hidden_layers", "n_layers"}, 4096);
  shape.heads = shape.kv_heads = config.RequireCount({"num_attention_heads", "n_heads"}, 65536);
  shape.head_dim = shape.hidden / std::max(shape.heads, 1u);
  CheckHeads(shape);
  uint32_t positions = config.Count({"max_position_embeddings"}, 512u);
  uint32_t offset = PositionOffset(config);
  shape.max_tokens = positions > offset ? positions - offset : 0;
  return shape;
}

NormOptions Norm(const ModelContext& context, const std::string& name) {
  return LayerNorm(context, name, context.config().Real({"layer_norm_eps"}, 1e-12f));
}

Value Embeddings(const ModelContext& context, Builder& b) {
  Value x = b.Embed(context.Need("embeddings.word_embeddings.weight"), TokenInput::kIds);
  if (Weight types = context.Maybe("embeddings.token_type_embeddings.weight")) {
    x = b.Add(x, b.Embed(types, TokenInput::kTypes));
  }
  if (Weight positions = context.Maybe("embeddings.position_embeddings.weight")) {
    uint32_t offset = PositionOffset(context.config());
    x = b.Add(x, b.Embed(positions, TokenInput::kPositions, 1, offset));
  }
  x = b.Norm(x, Norm(context, "embeddings.LayerNorm"));
  if (!context.Maybe("embeddings_project.weight")) return x;
  return context.Linear(b, x, "embeddings_project");
}

Value Layers(const ModelContext& context, Builder& b, const Names& names, Value x) {
  const ModelConfig& config = context.config();
  ModelShape shape = Shape(config);
  AttentionOptions attention;
  attention.heads = attention.kv_heads = shape.heads;
  attention.head_dim = shape.head_dim;
  attention.scale = 1 / std::sqrt(static_cast<float>(shape.head_dim));
  attention.relative_bias = context.Maybe("encoder.relative_attention_bias.weight");
  Activation activation = ParseActivation(config.Text({"hidden_act", "activation"}, "gelu"));
  for (uint32_t i = 0; i < shape.layers; ++i) {
    std::string at = names.layer + std::to_string(i) + ".";
    Value q = context.Linear(b, x, at + names.query);
    Value k = context.Linear(b, x, at + names.key);
    Value v = context.Linear(b, x, at + names.value);
    Value mixed = context.Linear(b, b.Attention(q, k, v, attention), at + names.attention_output);
    x = b.Norm(b.Add(mixed, x), Norm(context, at + names.attention_norm));
    Value up = b.Activate(context.Linear(b, x, at + names.up), activation);
    Value down = context.Linear(b, up, at + names.down);
    x = b.Norm(b.Add(down, x), Norm(context, at + names.output_norm));
  }
  return x;
}

// The masked-language head's last layer shares the word embeddings unless it has its own weight.
Value Vocabulary(const ModelContext& context, Builder& b, Value x, const std::string& decoder,
                 const std::string& bias) {
  Weight weight = context.Maybe(decoder + ".weight");
  if (!weight) weight = context.Need("embeddings.word_embeddings.weight");
  Weight offset = context.Maybe(decoder + ".bias");
  return b.Linear(x, weight, offset ? offset : context.Maybe(bias));
}

Value MaskedLm(const ModelContext& context, Builder& b, Value x) {
  std::string type = context.config().model_type();
  x = b.SelectOutputs(x);
  if (type == "distilbert") {
    Activation activation = ParseActivation(context.config().Text({"activation"}, "gelu"));
    x = b.Activate(context.Linear(b, x, "vocab_transform"), activation);
    x = b.Norm(x, Norm(context, "vocab_layer_norm"));
    return Vocabulary(context, b, x, "vocab_projector", "vocab_projector.bias");
  }
  if (CountsFromPadding(type)) {
    x = b.Activate(context.Linear(b, x, "lm_head.dense"), Activation::kGelu);
    x = b.Norm(x, Norm(context, "lm_head.layer_norm"));
    return Vocabulary(context, b, x, "lm_head.decoder", "lm_head.bias");
  }
  if (type == "electra") {
    x = b.Activate(context.Linear(b, x, "generator_predictions.dense"), Activation::kGelu);
    x = b.Norm(x, Norm(context, "generator_predictions.LayerNorm"));
    return Vocabulary(context, b, x, "generator_lm_head", "generator_lm_head.bias");
  }
  Activation activation = ParseActivation(context.config().Text({"hidden_act"}, "gelu"));
  x = b.Activate(context.Linear(b, x, "cls.predictions.transform.dense"), activation);
  x = b.Norm(x, Norm(context, "cls.predictions.transform.LayerNorm"));
  return Vocabulary(context, b, x, "cls.predictions.decoder", "cls.predictions.bias");
}

Value SequenceClassification(const ModelContext& context, Builder& b, Value x) {
  std::string type = context.config().model_type();
  x = b.Pool(x, Pooling::kFirst);
  if (type == "distilbert") {
    x = b.Activate(context.Linear(b, x, "pre_classifier"), Activation::kRelu);
    return context.Linear(b, x, "classifier");
  }
  if (CountsFromPadding(type) || type == "electra") {
    Activation activation = type == "electra" ? Activation::kGelu : Activation::kTanh;
    x = b.Activate(context.Linear(b, x, "classifier.dense"), activation);
    return context.Linear(b, x, "classifier.out_proj");
  }
  x = b.Activate(context.Linear(b, x, "pooler.dense"), Activation::kTanh);
  return context.Linear(b, x, "classifier");
}

Value ForwardWith(const ModelContext& context, Builder& b, const Names& names) {
  Value x = Layers(context, b, names, Embeddings(context, b));
  switch (context.head()) {
    case Head::kMaskedLm:
      b.Output("logits", MaskedLm(context, b, x));
      break;
    case Head::kSequenceClassification:
      b.Output("logits", SequenceClassification(context, b, x));
      break;
    case Head::kTokenClassification:
      b.Output("logits", context.Linear(b, x, "classifier"));
      break;
    case Head::kQuestionAnswering:
      b.Output("logits", context.Linear(b, x, "qa_outputs"));
      break;
    case Head::kCausalLm:
    case Head::kNone:
      b.Output("hidden", x);
      break;
    case Head::kStates:
      break;
  }
  return x;
}

Value Forward(const ModelContext& context, Builder& b) {
  return ForwardWith(context, b, kBertNames);
}
Value MpnetForward(const ModelContext& context, Builder& b) {
  return ForwardWith(context, b, kMpnetNames);
}
Value DistilForward(const ModelContext& context, Builder& b) {
  return ForwardWith(context, b, kDistilNames);
}

constexpr Architecture kArchitectures[] = {
    {"bert", "bert.", Shape, Forward},
    {"camembert", "roberta.", Shape, Forward},
    {"distilbert", "distilbert.", Shape, DistilForward},
    {"electra", "electra.", Shape, Forward},
    {"mpnet", "mpnet.", Shape, MpnetForward},
    {"roberta", "roberta.", Shape, Forward},
    {"xlm-roberta", "roberta.", Shape, Forward},
};

}  // namespace

std::span<const Architecture> BertFamily() { return kArchitectures; }

}  // namespace hearth::runtime

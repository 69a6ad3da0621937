// Nomic-BERT (arXiv 2402.01613): BERT with rotary positions and a gated feed-forward part.
//
// Two spellings of names and configuration are about: the model's own code ("encoder.layers.0.attn.
// Wqkv", "n_embd") and transformers 5 ("layers.0.self_attn.q_proj", "hidden_size").
#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"
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

ModelShape Shape(const ModelConfig& config) {
  ModelShape shape;
  shape.vocabulary = config.RequireCount({"vocab_size"});
  shape.hidden = config.RequireCount({"hidden_size", "n_embd"});
  shape.layers = config.RequireCount({"num_hidden_layers", "n_layer"}, 4096);
  shape.heads = shape.kv_heads = config.RequireCount({"num_attention_heads", "n_head"}, 65536);
  shape.head_dim = config.Count({"head_dim"}, shape.hidden / std::max(shape.heads, 1u), 65536);
  CheckHeads(shape);
  shape.max_tokens = config.Count({"max_position_embeddings", "n_positions"}, 2048u, UINT32_MAX);
  return shape;
}

class Model {
 public:
  Model(const ModelContext& context, Builder& builder)
      : context_(context), b_(builder), shape_(Shape(context.config())) {
    const ModelConfig& config = context.config();
    attention_.heads = attention_.kv_heads = shape_.heads;
    attention_.head_dim = shape_.head_dim;
    attention_.scale = 1 / std::sqrt(static_cast<float>(shape_.head_dim));
    rope_ = Rope();
    std::string activation = config.Text({"hidden_act", "activation_function"}, "silu");
    activation_ = activation == "swiglu" ? Activation::kSilu : ParseActivation(activation);
  }

  Value States() {
    Value x = b_.Embed(context_.Need("embeddings.word_embeddings.weight"), TokenInput::kIds);
    if (Weight types = context_.Maybe("embeddings.token_type_embeddings.weight")) {
      x = b_.Add(x, b_.Embed(types, TokenInput::kTypes));
    }
    x = b_.Norm(x, Norm("emb_ln", "embeddings.LayerNorm"));
    for (uint32_t layer = 0; layer < shape_.layers; ++layer) {
      std::string old = "encoder.layers." + std::to_string(layer) + ".";
      std::string now = "layers." + std::to_string(layer) + ".";
      Value mixed = Attend(x, old + "attn.", now + "self_attn.");
      x = b_.Norm(b_.Add(mixed, x), Norm(old + "norm1", now + "post_attention_layernorm"));
      Value gate = Linear(x, old + "mlp.fc12", now + "mlp.gate_proj");
      Value up = Linear(x, old + "mlp.fc11", now + "mlp.up_proj");
      Value down = Linear(b_.Gate(gate, up, activation_), old + "mlp.fc2", now + "mlp.down_proj");
      x = b_.Norm(b_.Add(down, x), Norm(old + "norm2", now + "post_mlp_layernorm"));
    }
    return x;
  }

  void Outputs(Value x);

 private:
  tensor::RopeOptions Rope() const {
    const ModelConfig& config = context_.config();
    if (config.Flag({"rotary_emb_interleaved"}, false)) {
      throw Error(Code::kUnimplemented, "config.json: interleaved rotary positions");
    }
    if (config.Find({"rotary_emb_base"}) == nullptr) return ParseRope(config, shape_.head_dim);
    Json plain = Json::Obj({{"rope_theta", *config.Find({"rotary_emb_base"})}});
    plain.Set("partial_rotary_factor", config.Real({"rotary_emb_fraction"}, 1.0f));
    return ParseRope(ModelConfig(std::move(plain)), shape_.head_dim);
  }

  std::string Name(const std::string& old, const std::string& now) const {
    return context_.Maybe(old + ".weight") ? old : now;
  }
  Value Linear(Value x, const std::string& old, const std::string& now) {
    return context_.Linear(b_, x, Name(old, now));
  }
  NormOptions Norm(const std::string& old, const std::string& now) const {
    float epsilon = context_.config().Real({"layer_norm_eps", "layer_norm_epsilon"}, 1e-12f);
    return LayerNorm(context_, Name(old, now), epsilon);
  }

  Value Attend(Value x, const std::string& old, const std::string& now) {
    uint32_t size = shape_.heads * shape_.head_dim;
    Value q, k, v;
    if (context_.Maybe(old + "Wqkv.weight")) {
      Value qkv = context_.Linear(b_, x, old + "Wqkv");
      q = b_.Columns(qkv, 0, size), k = b_.Columns(qkv, size, size);
      v = b_.Columns(qkv, 2 * size, size);
    } else {
      q = context_.Linear(b_, x, now + "q_proj"), k = context_.Linear(b_, x, now + "k_proj");
      v = context_.Linear(b_, x, now + "v_proj");
    }
    Value mixed = b_.Attention(b_.Rope(q, rope_), b_.Rope(k, rope_), v, attention_);
    return Linear(mixed, old + "out_proj", now + "o_proj");
  }

  const ModelContext& context_;
  Builder& b_;
  ModelShape shape_;
  AttentionOptions attention_;
  tensor::RopeOptions rope_;
  Activation activation_;
};

void Model::Outputs(Value x) {
  switch (context_.head()) {
    case Head::kMaskedLm: {
      std::string head = "cls.predictions.";
      x = b_.Activate(context_.Linear(b_, b_.SelectOutputs(x), head + "transform.dense"),
                      activation_);
      x = b_.Norm(x, Norm(head + "transform.LayerNorm", head + "transform.layer_norm"));
      Weight weight = context_.Maybe(head + "decoder.weight");
      if (!weight) weight = context_.Need("embeddings.word_embeddings.weight");
      Weight bias = context_.Maybe(head + "decoder.bias");
      b_.Output("logits", b_.Linear(x, weight, bias ? bias : context_.Maybe(head + "bias")));
      break;
    }
    case Head::kSequenceClassification:
      x = b_.Activate(context_.Linear(b_, b_.Pool(x, Pooling::kFirst), "pooler.dense"),
                      Activation::kTanh);
      b_.Output("logits", context_.Linear(b_, x, "classifier"));
      break;
    case Head::kTokenClassification:
      b_.Output("logits", context_.Linear(b_, x, "classifier"));
      break;
    case Head::kQuestionAnswering:
      b_.Output("logits", context_.Linear(b_, x, "qa_outputs"));
      break;
    case Head::kCausalLm:
    case Head::kNone:
      b_.Output("hidden", x);
      break;
    case Head::kStates:
      break;
  }
}

Value Forward(const ModelContext& context, Builder& b) {
  Model model(context, b);
  Value x = model.States();
  model.Outputs(x);
  return x;
}

// The model's own code has the prefix "bert.", transformers "nomic_bert.".
constexpr Architecture kArchitectures[] = {{"nomic_bert", "bert.", Shape, Forward}};

}  // namespace

std::span<const Architecture> NomicBertFamily() { return kArchitectures; }

}  // namespace hearth::runtime

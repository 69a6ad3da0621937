// ModernBERT (arXiv 2412.13663): an encoder with rotary positions, norms before the sublayers, a
// gated feed-forward part, and layers that see all tokens only now and then; the others see a
// window and turn their positions by another base.
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
using tensor::RopeOptions;
using tensor::TokenInput;
using tensor::Value;
using tensor::Weight;

ModelShape Shape(const ModelConfig& config) {
  ModelShape shape;
  shape.vocabulary = config.RequireCount({"vocab_size"});
  shape.hidden = config.RequireCount({"hidden_size"});
  shape.layers = config.RequireCount({"num_hidden_layers"}, 4096);
  shape.heads = shape.kv_heads = config.RequireCount({"num_attention_heads"}, 65536);
  shape.head_dim = shape.hidden / std::max(shape.heads, 1u);
  CheckHeads(shape);
  shape.max_tokens = config.Count({"max_position_embeddings"}, 8192u, UINT32_MAX);
  return shape;
}

struct Plan {
  const ModelContext& context;
  ModelShape shape;
  AttentionOptions attention;
  RopeOptions global_rope, local_rope;
  Activation activation;

  explicit Plan(const ModelContext& model) : context(model), shape(Shape(model.config())) {
    const ModelConfig& config = model.config();
    attention.heads = attention.kv_heads = shape.heads;
    attention.head_dim = shape.head_dim;
    attention.scale = 1 / std::sqrt(static_cast<float>(shape.head_dim));
    global_rope = Rope("full_attention", "global_rope_theta", 160000);
    local_rope = Rope("sliding_attention", "local_rope_theta", 10000);
    activation = ParseActivation(config.Text({"hidden_activation"}, "gelu"));
  }

  // Before transformers 5 each kind of layer had a key of its own for its base.
  RopeOptions Rope(std::string_view kind, std::string_view old_key, double usual) const {
    const ModelConfig& config = context.config();
    if (config.Find({"rope_parameters"}) != nullptr) return ParseRope(config, shape.head_dim, kind);
    const Json* base = config.Find({old_key});
    Json plain = Json::Obj({{"rope_theta", base != nullptr ? *base : Json(usual)}});
    return ParseRope(ModelConfig(std::move(plain)), shape.head_dim);
  }

  NormOptions Norm(const std::string& name) const {
    return LayerNorm(context, name, context.config().Real({"norm_eps"}, 1e-5f));
  }

  bool IsLocal(uint32_t layer) const {
    std::string type = LayerType(context.config(), layer);
    if (!type.empty()) return type == "sliding_attention";
    uint32_t every = context.config().Count({"global_attn_every_n_layers"}, 3u);
    return every > 0 && layer % every != 0;
  }
};

Value Attend(const Plan& plan, Builder& b, Value x, uint32_t layer, const std::string& at) {
  uint32_t size = plan.shape.hidden;
  bool local = plan.IsLocal(layer);
  const RopeOptions& rope = local ? plan.local_rope : plan.global_rope;
  AttentionOptions options = plan.attention;
  // "local_attention" counts both sides.
  uint32_t window = plan.context.config().Count({"local_attention"}, 128u, INT32_MAX);
  options.window = local ? window / 2 + 1 : 0;
  Value qkv = plan.context.Linear(b, x, at + "Wqkv");
  Value mixed =
      b.Attention(b.Rope(b.Columns(qkv, 0, size), rope), b.Rope(b.Columns(qkv, size, size), rope),
                  b.Columns(qkv, 2 * size, size), options);
  return plan.context.Linear(b, mixed, at + "Wo");
}

Value FeedForward(const Plan& plan, Builder& b, Value x, const std::string& at) {
  Value both = plan.context.Linear(b, x, at + "Wi");
  uint32_t half = b.Shape(both).columns / 2;
  Value gated = b.Gate(b.Columns(both, 0, half), b.Columns(both, half, half), plan.activation);
  return plan.context.Linear(b, gated, at + "Wo");
}

// What stands between the states and every head's last layer.
Value Transform(const Plan& plan, Builder& b, Value x) {
  const ModelConfig& config = plan.context.config();
  Activation activation = ParseActivation(config.Text({"classifier_activation"}, "gelu"));
  x = b.Activate(plan.context.Linear(b, x, "head.dense"), activation);
  return b.Norm(x, plan.Norm("head.norm"));
}

void Outputs(const Plan& plan, Builder& b, Value x) {
  const ModelContext& context = plan.context;
  switch (context.head()) {
    case Head::kMaskedLm: {
      Weight weight = context.Maybe("decoder.weight");
      if (!weight) weight = context.Need("embeddings.tok_embeddings.weight");
      x = Transform(plan, b, b.SelectOutputs(x));
      b.Output("logits", b.Linear(x, weight, context.Maybe("decoder.bias")));
      break;
    }
    case Head::kSequenceClassification: {
      bool mean = context.config().Text({"classifier_pooling"}, "cls") == "mean";
      x = Transform(plan, b, b.Pool(x, mean ? Pooling::kMean : Pooling::kFirst));
      b.Output("logits", context.Linear(b, x, "classifier"));
      break;
    }
    case Head::kTokenClassification:
    case Head::kQuestionAnswering:
      b.Output("logits", context.Linear(b, Transform(plan, b, x), "classifier"));
      break;
    case Head::kCausalLm:
    case Head::kNone:
      b.Output("hidden", x);
      break;
    case Head::kStates:
      break;
  }
}

Value Forward(const ModelContext& context, Builder& b) {
  Plan plan(context);
  Value x = b.Embed(context.Need("embeddings.tok_embeddings.weight"), TokenInput::kIds);
  x = b.Norm(x, plan.Norm("embeddings.norm"));
  for (uint32_t layer = 0; layer < plan.shape.layers; ++layer) {
    std::string at = "layers." + std::to_string(layer) + ".";
    // The embeddings' norm is the first layer's.
    Value in = layer == 0 ? x : b.Norm(x, plan.Norm(at + "attn_norm"));
    x = b.Add(Attend(plan, b, in, layer, at + "attn."), x);
    x = b.Add(FeedForward(plan, b, b.Norm(x, plan.Norm(at + "mlp_norm")), at + "mlp."), x);
  }
  x = b.Norm(x, plan.Norm("final_norm"));
  Outputs(plan, b, x);
  return x;
}

constexpr Architecture kArchitectures[] = {{"modernbert", "model.", Shape, Forward}};

}  // namespace

std::span<const Architecture> ModernBertFamily() { return kArchitectures; }

}  // namespace hearth::runtime

// Llama and its relatives: decoders with RMS norms, rotary positions and a gated feed-forward part.
//
// Llama, Mistral (sliding window), Qwen2 (biases), Qwen3 (norms of query and key heads), SmolLM3
// (layers without positions), Granite (scaled embeddings, residuals, logits), Phi-3 (fused
// projections), Gemma (1 + w), Gemma 2 and 3 (norms before and after, soft caps, windows in some
// layers). What a family adds is found in its configuration or among its tensors, so one loop
// serves all.
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
using tensor::NormKind;
using tensor::NormOptions;
using tensor::RopeOptions;
using tensor::TokenInput;
using tensor::Value;
using tensor::Weight;

bool IsGemma(const ModelConfig& config) { return config.model_type().starts_with("gemma"); }

// EmbeddingGemma: the decoder as an encoder.
bool SeesBothSides(const ModelConfig& config) {
  return config.Flag({"use_bidirectional_attention"}, false);
}

ModelShape Shape(const ModelConfig& config) {
  ModelShape shape;
  shape.vocabulary = config.RequireCount({"vocab_size"});
  shape.hidden = config.RequireCount({"hidden_size"});
  shape.layers = config.RequireCount({"num_hidden_layers"}, 4096);
  shape.heads = config.RequireCount({"num_attention_heads"}, 65536);
  shape.kv_heads = config.Count({"num_key_value_heads"}, shape.heads, 65536);
  // Gemma's classes have 256 where the file says nothing.
  uint32_t head_dim = IsGemma(config) ? 256 : shape.hidden / std::max(shape.heads, 1u);
  shape.head_dim = config.Count({"head_dim"}, head_dim, 65536);
  CheckHeads(shape);
  shape.max_tokens = LongestText(config);
  shape.is_decoder = !SeesBothSides(config);
  return shape;
}

// What does not change from layer to layer.
struct Plan {
  const ModelContext& context;
  ModelShape shape;
  AttentionOptions attention;
  RopeOptions rope, local_rope;
  Activation activation = Activation::kSilu;
  uint32_t window = 0;
  float residual = 1;

  explicit Plan(const ModelContext& model) : context(model), shape(Shape(model.config())) {
    const ModelConfig& config = model.config();
    attention.heads = shape.heads;
    attention.kv_heads = shape.kv_heads;
    attention.head_dim = shape.head_dim;
    attention.causal = shape.is_decoder;
    float scalar = config.Real({"query_pre_attn_scalar"}, static_cast<float>(shape.head_dim));
    attention.scale = config.Real({"attention_multiplier"}, 1 / std::sqrt(scalar));
    attention.softcap = config.Real({"attn_logit_softcapping"}, 0.0f);
    rope = ParseRope(config, shape.head_dim);
    local_rope = ParseRope(config, shape.head_dim, "sliding_attention");
    if (const Json* base = config.Find({"rope_local_base_freq"})) {
      Json local = Json::Obj({{"rope_theta", *base}});
      local_rope = ParseRope(ModelConfig(std::move(local)), shape.head_dim);
    }
    const char* usual = IsGemma(config) ? "gelu_pytorch_tanh" : "silu";
    activation = ParseActivation(config.Text({"hidden_activation", "hidden_act"}, usual));
    // Where a family has the switch, it is off by default.
    std::string type = config.model_type();
    bool has_switch = type.starts_with("qwen") || type == "smollm3";
    if (config.Flag({"use_sliding_window"}, !has_switch)) {
      window = config.Count({"sliding_window"}, 0, UINT32_MAX);
      // Such a window counts both sides.
      if (window > 0 && !shape.is_decoder) window = window / 2 + 1;
    }
    residual = config.Real({"residual_multiplier"}, 1.0f);
  }

  NormOptions Norm(const std::string& name) const {
    NormOptions options;
    options.kind = NormKind::kRms;
    options.weight = context.Need(name + ".weight");
    options.epsilon = context.config().Real({"rms_norm_eps"}, 1e-6f);
    options.weight_offset = IsGemma(context.config()) ? 1 : 0;
    return options;
  }

  // Which layers see a window only: by "layer_types", else by the families' older rules.
  bool IsLocal(uint32_t layer) const {
    const ModelConfig& config = context.config();
    if (window == 0) return false;
    std::string type = LayerType(config, layer);
    if (!type.empty()) return type == "sliding_attention";
    type = config.model_type();
    if (type == "gemma2" || type == "gemma3_text") {
      uint32_t every = config.Count({"sliding_window_pattern"}, type == "gemma2" ? 2 : 6);
      return every > 0 && (layer + 1) % every != 0;
    }
    if (type == "qwen2" || type == "qwen3") {
      return layer >= config.Count({"max_window_layers"}, 0u);
    }
    return type != "smollm3" || !HasRope(layer);
  }

  bool HasRope(uint32_t layer) const {
    const ModelConfig& config = context.config();
    if (config.model_type() != "smollm3") return true;
    const Json* list = config.Find({"no_rope_layers"});  // 1 where a layer has positions
    if (list != nullptr && list->AsArray() != nullptr && layer < list->size()) {
      return (*list->AsArray())[layer].AsUint().value_or(1) != 0;
    }
    return (layer + 1) % std::max(config.Count({"no_rope_layer_interval"}, 4u), 1u) != 0;
  }
};

struct Heads {
  Value q, k, v;
};

Heads Project(const Plan& plan, Builder& b, Value x, const std::string& at) {
  uint32_t q = plan.shape.heads * plan.shape.head_dim;
  uint32_t kv = plan.shape.kv_heads * plan.shape.head_dim;
  if (plan.context.Maybe(at + "qkv_proj.weight")) {
    Value all = plan.context.Linear(b, x, at + "qkv_proj");
    return {b.Columns(all, 0, q), b.Columns(all, q, kv), b.Columns(all, q + kv, kv)};
  }
  return {plan.context.Linear(b, x, at + "q_proj"), plan.context.Linear(b, x, at + "k_proj"),
          plan.context.Linear(b, x, at + "v_proj")};
}

Value Attend(const Plan& plan, Builder& b, Value x, uint32_t layer, const std::string& at) {
  Heads heads = Project(plan, b, x, at);
  if (plan.context.Maybe(at + "q_norm.weight")) {
    NormOptions norm = plan.Norm(at + "q_norm");
    norm.group = plan.shape.head_dim;
    heads.q = b.Norm(heads.q, norm);
    norm.weight = plan.context.Need(at + "k_norm.weight");
    heads.k = b.Norm(heads.k, norm);
  }
  bool local = plan.IsLocal(layer);
  if (plan.HasRope(layer)) {
    const RopeOptions& rope = local ? plan.local_rope : plan.rope;
    heads.q = b.Rope(heads.q, rope), heads.k = b.Rope(heads.k, rope);
  }
  AttentionOptions options = plan.attention;
  options.window = local ? plan.window : 0;
  if (plan.shape.is_decoder) options.cache_layer = static_cast<int32_t>(layer);
  return plan.context.Linear(b, b.Attention(heads.q, heads.k, heads.v, options), at + "o_proj");
}

Value FeedForward(const Plan& plan, Builder& b, Value x, const std::string& at) {
  const ModelContext& context = plan.context;
  Value gate, up;
  if (context.Maybe(at + "gate_up_proj.weight")) {
    Value both = context.Linear(b, x, at + "gate_up_proj");
    uint32_t half = b.Shape(both).columns / 2;
    gate = b.Columns(both, 0, half), up = b.Columns(both, half, half);
  } else {
    gate = context.Linear(b, x, at + "gate_proj"), up = context.Linear(b, x, at + "up_proj");
  }
  return context.Linear(b, b.Gate(gate, up, plan.activation), at + "down_proj");
}

Value Layer(const Plan& plan, Builder& b, Value x, uint32_t layer) {
  std::string at = "layers." + std::to_string(layer) + ".";
  // Gemma norms what a sublayer gives as well; elsewhere the second norm stands before the second.
  bool both_sides = bool{plan.context.Maybe(at + "pre_feedforward_layernorm.weight")};
  auto add = [&](Value part, Value rest) {
    return b.Add(plan.residual == 1 ? part : b.Scale(part, plan.residual), rest);
  };
  Value mixed =
      Attend(plan, b, b.Norm(x, plan.Norm(at + "input_layernorm")), layer, at + "self_attn.");
  if (both_sides) mixed = b.Norm(mixed, plan.Norm(at + "post_attention_layernorm"));
  x = add(mixed, x);
  const char* before = both_sides ? "pre_feedforward_layernorm" : "post_attention_layernorm";
  Value fed = FeedForward(plan, b, b.Norm(x, plan.Norm(at + before)), at + "mlp.");
  if (both_sides) fed = b.Norm(fed, plan.Norm(at + "post_feedforward_layernorm"));
  return add(fed, x);
}

Value Forward(const ModelContext& context, Builder& b) {
  Plan plan(context);
  const ModelConfig& config = context.config();
  float scale = config.Real({"embedding_multiplier"}, 1.0f);
  if (IsGemma(config)) scale = std::sqrt(static_cast<float>(plan.shape.hidden));
  Value x = b.Embed(context.Need("embed_tokens.weight"), TokenInput::kIds, scale);
  for (uint32_t layer = 0; layer < plan.shape.layers; ++layer) x = Layer(plan, b, x, layer);
  x = b.Norm(x, plan.Norm("norm"));
  VocabularyLayer vocabulary;
  vocabulary.scale = 1 / config.Real({"logits_scaling"}, 1.0f);
  vocabulary.softcap = config.Real({"final_logit_softcapping"}, 0.0f);
  DecoderOutput(context, b, x, vocabulary);
  return x;
}

constexpr Architecture kArchitectures[] = {
    {"gemma", "model.", Shape, Forward},       {"gemma2", "model.", Shape, Forward},
    {"gemma3_text", "model.", Shape, Forward}, {"granite", "model.", Shape, Forward},
    {"llama", "model.", Shape, Forward},       {"mistral", "model.", Shape, Forward},
    {"phi3", "model.", Shape, Forward},        {"qwen2", "model.", Shape, Forward},
    {"qwen3", "model.", Shape, Forward},       {"smollm3", "model.", Shape, Forward},
};

}  // namespace

std::span<const Architecture> LlamaFamily() { return kArchitectures; }

}  // namespace hearth::runtime

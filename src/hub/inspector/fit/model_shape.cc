#include "hub/inspector/fit/model_shape.h"

#include <algorithm>
#include <string_view>

#include "base/bytes.h"

namespace hearth::inspector {
namespace {

// A hostile config.json must not make a table of a billion layers.
constexpr uint64_t kMaxLayers = 10'000;
constexpr uint64_t kMaxNumber = 1u << 24;
constexpr uint64_t kFloatBytes = 4;

// Encoders by the beginning of their model type; what is in no list decodes when it says so.
constexpr std::string_view kEncoders[] = {
    "bert",        "roberta",  "distilbert", "mpnet",      "electra",    "deberta",
    "xlm-roberta", "albert",   "camembert",  "modernbert", "nomic-bert", "nomic_bert",
    "jina-bert",   "layoutlm", "vit",        "clip",       "siglip",     "dinov2",
    "wav2vec2",    "hubert",   "esm",        "eurobert"};

// Numbers under the names that families give them; the first name that is there counts.
class Numbers {
 public:
  Numbers(const Json& config, std::string prefix, std::string file, ModelShape* shape)
      : config_(config), prefix_(std::move(prefix)), file_(std::move(file)), shape_(shape) {}

  std::optional<uint64_t> Find(const char* field, std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
      const Json* value = config_.Find(key);
      std::optional<uint64_t> number = value == nullptr ? std::nullopt : value->AsUint();
      if (!number || *number > kMaxNumber) continue;
      Note(field, *number, key);
      return number;
    }
    return std::nullopt;
  }
  uint64_t Require(const char* field, std::initializer_list<const char*> keys) {
    std::optional<uint64_t> found = Find(field, keys);
    if (!found) shape_->missing.push_back(field);
    return found.value_or(0);
  }
  void Note(const char* field, Json value, std::string_view key) {
    Finding finding{.value = std::move(value), .level = Level::kDeclared, .evidence = {}};
    finding.evidence.push_back({.file = file_,
                                .place = prefix_ + "/" + std::string(key),
                                .rule = "the configuration says so",
                                .repo = {}});
    shape_->findings.emplace_back(field, std::move(finding));
  }

 private:
  const Json& config_;
  std::string prefix_, file_;
  ModelShape* shape_;
};

std::string Text(const Json& config, std::string_view key) {
  const Json* value = config.Find(key);
  const std::string* text = value == nullptr ? nullptr : value->AsString();
  return text == nullptr ? "" : *text;
}

bool IsEncoder(const Json& config, const std::string& type) {
  const Json* decoder = config.Find("is_decoder");
  if (decoder != nullptr && decoder->AsBool().value_or(false)) return false;
  return std::any_of(std::begin(kEncoders), std::end(kEncoders), [&type](std::string_view name) {
    return type == name || (type.starts_with(name) && type.size() > name.size() &&
                            (type[name.size()] == '_' || type[name.size()] == '-'));
  });
}

LayerMemory MemoryOfType(std::string_view word, bool latent) {
  if (word == "sliding_attention" || word == "chunked_attention") return LayerMemory::kWindow;
  if (word.find("linear") != std::string_view::npos || word == "mamba" || word == "mamba2" ||
      word == "recurrent" || word == "conv")
    return LayerMemory::kState;
  return latent ? LayerMemory::kLatent : LayerMemory::kFull;
}

bool IsStateModel(std::string_view type) {
  return type == "mamba" || type == "mamba2" || type == "falcon_mamba" || type.starts_with("rwkv");
}

// Which layers remember how: a list by name, a rhythm, one window for all, or all in full.
void SetMemory(const Json& config, Numbers& numbers, ModelShape* shape) {
  uint64_t layers = std::min(shape->layers, kMaxLayers);
  bool latent = shape->kv_lora_rank > 0;
  LayerMemory usual = latent ? LayerMemory::kLatent : LayerMemory::kFull;
  if (IsStateModel(shape->architecture)) usual = LayerMemory::kState;
  shape->memory.assign(layers, usual);
  if (const Json* types = config.Find("layer_types"); types != nullptr && types->AsArray()) {
    const Json::Array& list = *types->AsArray();
    for (size_t i = 0; i < std::min<size_t>(layers, list.size()); ++i)
      if (const std::string* word = list[i].AsString())
        shape->memory[i] = MemoryOfType(*word, latent);
    return;
  }
  // Jamba, Bamba: attention every so many layers, states between.
  auto period = numbers.Find("attention_period", {"attn_layer_period"});
  if (period && *period > 0) {
    const Json* at = config.Find("attn_layer_offset");
    uint64_t offset = at == nullptr ? 0 : at->AsUint().value_or(0);
    for (size_t i = 0; i < layers; ++i)
      if (i % *period != offset % *period) shape->memory[i] = LayerMemory::kState;
    return;
  }
  const Json* uses = config.Find("use_sliding_window");
  if (shape->window == 0 || (uses != nullptr && uses->AsBool() == false)) return;
  auto rhythm =
      numbers.Find("window_pattern", {"sliding_window_pattern", "_sliding_window_pattern"});
  uint64_t every = rhythm.value_or(shape->architecture == "gemma2"             ? 2
                                   : shape->architecture.starts_with("gemma3") ? 6
                                                                               : 0);
  for (size_t i = 0; i < layers; ++i)
    if (every == 0 || (i + 1) % every != 0) shape->memory[i] = LayerMemory::kWindow;
}

void SetState(Numbers& numbers, ModelShape* shape) {
  bool any = std::find(shape->memory.begin(), shape->memory.end(), LayerMemory::kState) !=
             shape->memory.end();
  if (!any) return;
  // Mamba: [inner, d_state] and the convolution's last inputs, in fp32.
  uint64_t expand = numbers.Find("state_expand", {"expand", "mamba_expand"}).value_or(2);
  uint64_t inner =
      numbers.Find("state_inner", {"intermediate_size_mamba", "d_inner", "mamba_d_ssm"})
          .value_or(expand * shape->hidden);
  uint64_t state =
      numbers.Find("state_size", {"state_size", "mamba_d_state", "d_state"}).value_or(0);
  uint64_t kernel = numbers
                        .Find("conv_kernel", {"conv_kernel", "mamba_d_conv",
                                              "linear_conv_kernel_dim", "conv_L_cache"})
                        .value_or(4);
  // Gated linear attention (Qwen3-Next): a matrix per value head.
  auto value_heads = numbers.Find("linear_value_heads", {"linear_num_value_heads"});
  auto key_dim = numbers.Find("linear_key_dim", {"linear_key_head_dim"});
  auto value_dim = numbers.Find("linear_value_dim", {"linear_value_head_dim"});
  if (value_heads && key_dim && value_dim) {
    uint64_t width = *value_heads * *value_dim;
    shape->state_bytes = (*value_heads * *key_dim * *value_dim + 2 * width * kernel) * kFloatBytes;
    return;
  }
  if (state == 0) {
    shape->missing.push_back("state_size");
    return;
  }
  shape->state_bytes = (inner * state + inner * kernel) * kFloatBytes;
}

void SetHeads(Numbers& numbers, ModelShape* shape) {
  shape->heads = numbers
                     .Find("heads", {"num_attention_heads", "n_head", "n_heads", "num_heads",
                                     "encoder_attention_heads"})
                     .value_or(0);
  shape->kv_heads = numbers
                        .Find("kv_heads", {"num_key_value_heads", "num_kv_heads", "n_head_kv",
                                           "multi_query_group_num"})
                        .value_or(shape->heads);
  auto head = numbers.Find("head_dim", {"head_dim", "kv_channels", "d_kv"});
  shape->head_dim = head.value_or(shape->heads == 0 ? 0 : shape->hidden / shape->heads);
  shape->value_dim = shape->head_dim;
  shape->kv_lora_rank = numbers.Find("kv_lora_rank", {"kv_lora_rank"}).value_or(0);
  if (shape->kv_lora_rank > 0)
    shape->rope_head_dim = numbers.Find("rope_head_dim", {"qk_rope_head_dim"}).value_or(0);
}

const Json& Tower(const Json& config, std::string* prefix) {
  if (config.Find("num_hidden_layers") != nullptr || config.Find("n_layer") != nullptr)
    return config;
  for (const char* part : {"text_config", "llm_config", "language_config", "decoder"}) {
    const Json* inner = config.Find(part);
    if (inner != nullptr && inner->is_object()) {
      *prefix = std::string("/") + part;
      return *inner;
    }
  }
  return config;
}

}  // namespace

ModelShape ShapeFromConfig(const Json& whole, const std::string& file) {
  ModelShape shape;
  std::string prefix;
  const Json& config = Tower(whole, &prefix);
  Numbers numbers(config, prefix, file, &shape);
  shape.architecture = Text(config, "model_type");
  if (shape.architecture.empty()) shape.architecture = Text(whole, "model_type");
  shape.layers =
      numbers.Require("layers", {"num_hidden_layers", "n_layer", "n_layers", "num_layers"});
  shape.hidden = numbers.Require("hidden", {"hidden_size", "n_embd", "d_model", "dim"});
  shape.feed_forward = numbers
                           .Find("feed_forward", {"intermediate_size", "ffn_dim", "n_inner", "d_ff",
                                                  "ffn_hidden_size"})
                           .value_or(4 * shape.hidden);
  SetHeads(numbers, &shape);
  shape.vocabulary = numbers.Find("vocabulary", {"vocab_size"}).value_or(0);
  shape.max_context = numbers
                          .Find("max_context", {"max_position_embeddings", "n_positions",
                                                "seq_length", "max_sequence_length", "max_seq_len"})
                          .value_or(0);
  shape.experts = numbers
                      .Find("experts", {"num_local_experts", "num_experts", "n_routed_experts",
                                        "moe_num_experts"})
                      .value_or(0);
  if (shape.experts > 0) {
    shape.active_experts =
        numbers.Require("active_experts",
                        {"num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_top_k"});
  }
  shape.decodes = !IsEncoder(config, shape.architecture);
  if (!shape.decodes) return shape;
  shape.window = numbers.Find("window", {"sliding_window", "attention_chunk_size"}).value_or(0);
  SetMemory(config, numbers, &shape);
  SetState(numbers, &shape);
  bool attends = std::any_of(shape.memory.begin(), shape.memory.end(), [](LayerMemory memory) {
    return memory == LayerMemory::kFull || memory == LayerMemory::kWindow;
  });
  if (attends && shape.heads == 0) shape.missing.push_back("heads");
  return shape;
}

ModelShape ShapeFromGguf(const std::vector<std::pair<std::string, std::string>>& metadata,
                         const std::string& file) {
  ModelShape shape;
  auto text = [&](const std::string& key) -> const std::string* {
    for (const auto& [name, value] : metadata)
      if (name == key) return &value;
    return nullptr;
  };
  if (const std::string* found = text("general.architecture")) shape.architecture = *found;
  auto number = [&](const char* field, const std::string& tail) -> std::optional<uint64_t> {
    std::string key = shape.architecture + "." + tail;
    const std::string* found = text(key);
    std::optional<uint64_t> value = found == nullptr ? std::nullopt : ParseUint(*found);
    if (!value || *value > kMaxNumber) return std::nullopt;
    Finding finding{.value = *value, .level = Level::kDeclared, .evidence = {}};
    finding.evidence.push_back(
        {.file = file, .place = "metadata " + key, .rule = "the header says so", .repo = {}});
    shape.findings.emplace_back(field, std::move(finding));
    return value;
  };
  auto require = [&](const char* field, const std::string& tail) {
    auto value = number(field, tail);
    if (!value) shape.missing.push_back(field);
    return value.value_or(0);
  };
  shape.layers = std::min(require("layers", "block_count"), kMaxLayers);
  shape.hidden = require("hidden", "embedding_length");
  shape.feed_forward = number("feed_forward", "feed_forward_length").value_or(4 * shape.hidden);
  shape.heads = number("heads", "attention.head_count").value_or(0);
  shape.kv_heads = number("kv_heads", "attention.head_count_kv").value_or(shape.heads);
  shape.head_dim = number("head_dim", "attention.key_length")
                       .value_or(shape.heads == 0 ? 0 : shape.hidden / shape.heads);
  shape.value_dim = number("value_dim", "attention.value_length").value_or(shape.head_dim);
  shape.vocabulary = number("vocabulary", "vocab_size").value_or(0);
  shape.max_context = number("max_context", "context_length").value_or(0);
  shape.experts = number("experts", "expert_count").value_or(0);
  shape.active_experts = number("active_experts", "expert_used_count").value_or(0);
  shape.kv_lora_rank = number("kv_lora_rank", "attention.kv_lora_rank").value_or(0);
  if (shape.kv_lora_rank > 0)
    shape.rope_head_dim = number("rope_head_dim", "rope.dimension_count").value_or(0);
  const std::string* causal = text(shape.architecture + ".attention.causal");
  shape.decodes = !(causal != nullptr && *causal == "false") &&
                  shape.architecture.find("bert") == std::string::npos;
  if (!shape.decodes) return shape;
  // The header gives numbers only; the rhythm of windows is the family's.
  shape.window = number("window", "attention.sliding_window").value_or(0);
  LayerMemory usual = shape.kv_lora_rank > 0 ? LayerMemory::kLatent : LayerMemory::kFull;
  bool state = shape.architecture.starts_with("mamba") || shape.architecture.starts_with("rwkv");
  shape.memory.assign(shape.layers, state ? LayerMemory::kState : usual);
  uint64_t every = shape.architecture == "gemma2" ? 2 : shape.architecture == "gemma3" ? 6 : 1;
  if (auto rhythm = number("window_pattern", "attention.sliding_window_pattern")) every = *rhythm;
  if (shape.window > 0 && every > 1) {
    for (size_t i = 0; i < shape.memory.size(); ++i)
      if ((i + 1) % every != 0) shape.memory[i] = LayerMemory::kWindow;
  }
  if (state) {
    uint64_t inner = require("state_inner", "ssm.inner_size");
    uint64_t size = require("state_size", "ssm.state_size");
    uint64_t kernel = number("conv_kernel", "ssm.conv_kernel").value_or(4);
    shape.state_bytes = inner * (size + kernel) * kFloatBytes;
  } else if (shape.heads == 0) {
    shape.missing.push_back("heads");
  }
  return shape;
}

}  // namespace hearth::inspector

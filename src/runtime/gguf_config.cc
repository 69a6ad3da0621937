#include "runtime/gguf_config.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "runtime/architecture.h"
#include "runtime/checkpoint_sources.h"

namespace hearth::runtime {
namespace {

// Rotary factors come one per pair of a head's dimensions.
constexpr uint64_t kMaxFactors = 1u << 16;

class Synthesis {
 public:
  Synthesis(const GgufFile& file, const convert::Architecture& tables)
      : file_(file), tables_(tables), type_(tables.model_type) {}

  Json Config() {
    config_.Set("model_type", type_);
    AddSizes();
    AddNorms();
    AddPositions();
    AddTokens();
    AddFamily();
    return std::move(config_);
  }

 private:
  bool IsEncoder() const { return type_.find("bert") != std::string::npos || type_ == "mpnet"; }

  const Json* Find(const std::string& key) const {
    const GgufMetadata* entry = file_.header().Find(file_.header().architecture + "." + key);
    return entry != nullptr ? &entry->value : nullptr;
  }
  std::optional<double> Real(const std::string& key) const {
    const Json* value = Find(key);
    return value != nullptr ? value->AsDouble() : std::nullopt;
  }
  // A list of one number per layer counts as that number when all are the same.
  std::optional<uint64_t> Count(const std::string& key) const {
    const Json* value = Find(key);
    if (value == nullptr) return std::nullopt;
    const Json::Array* list = value->AsArray();
    if (list == nullptr) return value->AsUint();
    if (list->empty()) return std::nullopt;
    if (!std::all_of(list->begin(), list->end(),
                     [&](const Json& item) { return item == list->front(); })) {
      throw Error(Code::kUnimplemented, "\"" + key + "\" differs from layer to layer");
    }
    return list->front().AsUint();
  }
  // Copies a value under another name; nothing when there is none.
  void Copy(const std::string& key, const char* name) {
    const Json* value = Find(key);
    if (value != nullptr && !value->is_null()) config_.Set(name, *value);
  }
  std::vector<uint64_t> ShapeOf(std::string_view tensor) const {
    const GgufFile::Entry* entry = file_.Find(tensor);
    return entry != nullptr ? GgufShape(*entry->tensor) : std::vector<uint64_t>();
  }

  void AddSizes();
  void AddNorms();
  void AddPositions();
  void AddTokens();
  void AddFamily();
  Json Rope() const;
  Json Factors(std::string_view tensor) const;
  uint64_t HeadDim() const;

  const GgufFile& file_;
  const convert::Architecture& tables_;
  std::string type_;
  Json config_ = Json::Obj();
};

void Synthesis::AddSizes() {
  std::vector<uint64_t> table = ShapeOf("token_embd.weight");
  if (table.size() != 2) throw Error(Code::kInvalidArgument, "the file lacks token_embd.weight");
  config_.Set("vocab_size", table[0]);
  Copy("embedding_length", "hidden_size");
  Copy("block_count", "num_hidden_layers");
  Copy("context_length", "max_position_embeddings");
  // RoBERTa's tables lose the rows of no position; the context length may still count them.
  std::vector<uint64_t> positions = ShapeOf("position_embd.weight");
  const Json* length = config_.Find("max_position_embeddings");
  if (positions.size() == 2 && length != nullptr && length->AsUint().value_or(0) > positions[0]) {
    config_.Set("max_position_embeddings", positions[0]);
  }
  if (auto heads = Count("attention.head_count")) config_.Set("num_attention_heads", *heads);
  if (auto heads = Count("attention.head_count_kv")) config_.Set("num_key_value_heads", *heads);
  if (auto size = Count("feed_forward_length")) config_.Set("intermediate_size", *size);
  if (auto size = Count("attention.key_length")) config_.Set("head_dim", *size);
}

void Synthesis::AddNorms() {
  Copy("attention.layer_norm_rms_epsilon", "rms_norm_eps");
  // Families call it differently; each reads its own.
  for (const char* name : {"layer_norm_eps", "layer_norm_epsilon", "norm_eps"}) {
    Copy("attention.layer_norm_epsilon", name);
  }
}

uint64_t Synthesis::HeadDim() const {
  if (auto given = Count("attention.key_length")) return *given;
  uint64_t heads = Count("attention.head_count").value_or(0);
  return heads > 0 ? Count("embedding_length").value_or(0) / heads : 0;
}

Json Synthesis::Factors(std::string_view tensor) const {
  const GgufFile::Entry* entry = file_.Find(tensor);
  if (entry == nullptr) return {};
  if (entry->tensor->elements == 0 || entry->tensor->elements > kMaxFactors) {
    throw Error(Code::kInvalidArgument, std::string(tensor) + " has an impossible size");
  }
  std::vector<float> values(entry->tensor->elements);
  file_.Dequantize(*entry, 0, values);
  Json list = Json::Arr();
  for (float value : values) list.Push(double{value});
  return list;
}

// rope_parameters of the layers that see all tokens.
Json Synthesis::Rope() const {
  Json rope = Json::Obj({{"rope_type", "default"}});
  // Files of Gemma 3 leave out what is usual for it.
  double usual = type_ == "gemma3_text" ? 1000000.0 : 10000.0;
  rope.Set("rope_theta", Real("rope.freq_base").value_or(usual));
  uint64_t head_dim = HeadDim();
  auto dims = Count("rope.dimension_count");
  if (dims && head_dim > 0 && *dims < head_dim) {
    // Half a dimension more, so that rounding down gives the number itself.
    rope.Set("partial_rotary_factor",
             (static_cast<double>(*dims) + 0.5) / static_cast<double>(head_dim));
  }
  const Json* named = Find("rope.scaling.type");
  std::string scaling = named != nullptr && named->AsString() != nullptr ? *named->AsString() : "";
  if (scaling == "linear" || scaling == "yarn") {
    rope.Set("rope_type", scaling);
    rope.Set("factor", Real("rope.scaling.factor").value_or(1.0));
    if (auto length = Count("rope.scaling.original_context_length")) {
      rope.Set("original_max_position_embeddings", *length);
    }
  }
  // Llama 3's scaling and longrope are tables of divisors.
  Json all = Factors("rope_freqs.weight");
  Json narrow = Factors("rope_factors_short.weight"), wide = Factors("rope_factors_long.weight");
  if (all.is_null() && (narrow.is_null() || wide.is_null())) return rope;
  rope.Set("rope_type", "longrope");
  rope.Set("short_factor", all.is_null() ? narrow : all);
  rope.Set("long_factor", all.is_null() ? wide : all);
  rope.Set("attention_factor",
           all.is_null() ? Real("rope.scaling.attn_factor").value_or(1.0) : 1.0);
  if (auto length = Count("rope.scaling.original_context_length")) {
    rope.Set("original_max_position_embeddings", *length);
  }
  return rope;
}

void Synthesis::AddPositions() {
  Json rope = Rope();
  Copy("attention.sliding_window", "sliding_window");
  if (auto window = Count("attention.sliding_window"); window && *window == 0) {
    config_.Erase("sliding_window");
  }
  const Json* pattern = Find("attention.sliding_window_pattern");
  const Json::Array* each = pattern != nullptr ? pattern->AsArray() : nullptr;
  if (each != nullptr) {
    Json types = Json::Arr();
    for (const Json& local : *each) {
      types.Push(local.AsBool().value_or(false) ? "sliding_attention" : "full_attention");
    }
    config_.Set("layer_types", std::move(types));
  } else if (pattern != nullptr) {
    config_.Set("sliding_window_pattern", *pattern);
    config_.Set("global_attn_every_n_layers", *pattern);
  }
  if (type_ == "gemma3_text" || type_ == "modernbert") {
    Json local = Json::Obj(
        {{"rope_type", "default"}, {"rope_theta", Real("rope.freq_base_swa").value_or(10000.0)}});
    rope =
        Json::Obj({{"full_attention", std::move(rope)}, {"sliding_attention", std::move(local)}});
  }
  config_.Set("rope_parameters", std::move(rope));
}

void Synthesis::AddTokens() {
  auto id = [&](const char* key) {
    const GgufMetadata* entry = file_.header().Find(std::string("tokenizer.ggml.") + key);
    return entry != nullptr ? entry->value.AsUint() : std::nullopt;
  };
  if (auto begin = id("bos_token_id")) config_.Set("bos_token_id", *begin);
  if (auto padding = id("padding_token_id")) config_.Set("pad_token_id", *padding);
  Json ends = Json::Arr();
  for (const char* key : {"eos_token_id", "eot_token_id", "eom_token_id"}) {
    auto end = id(key);
    bool is_new = end && std::none_of(ends.AsArray()->begin(), ends.AsArray()->end(),
                                      [&](const Json& item) { return item.AsUint() == end; });
    if (is_new) ends.Push(*end);
  }
  if (ends.size() == 1) config_.Set("eos_token_id", ends.AsArray()->front());
  if (ends.size() > 1) config_.Set("eos_token_id", ends);
}

void Synthesis::AddFamily() {
  config_.Set("tie_word_embeddings", file_.Find("output.weight") == nullptr);
  if (!IsEncoder()) config_.Set("architectures", Json::Arr({"ForCausalLM"}));
  Copy("attn_logit_softcapping", "attn_logit_softcapping");
  Copy("final_logit_softcapping", "final_logit_softcapping");
  Copy("attention.scale", "attention_multiplier");
  Copy("embedding_scale", "embedding_multiplier");
  Copy("residual_scale", "residual_multiplier");
  Copy("logit_scale", "logits_scaling");
  Copy("use_parallel_residual", "use_parallel_residual");
  Copy("norm_before", "do_layer_norm_before");
  Copy("hidden_activation", "hidden_activation");
  if (type_ == "modernbert") Copy("attention.sliding_window", "local_attention");
  if (type_ == "nomic_bert") {
    config_.Set("rotary_emb_base", Real("rope.freq_base").value_or(1000.0));
  }
  uint64_t layers = Count("block_count").value_or(0);
  uint64_t heads = Count("attention.head_count").value_or(0);
  // The 27B models alone scale scores by the width of a head as if the heads filled the state.
  if ((type_ == "gemma2" && layers == 46) || (type_ == "gemma3_text" && layers == 62)) {
    config_.Set("query_pre_attn_scalar",
                Count("embedding_length").value_or(0) / std::max<uint64_t>(heads, 1));
  }
}

const std::string* Text(const GgufFile& file, std::string_view key) {
  const GgufMetadata* entry = file.header().Find(key);
  return entry != nullptr ? entry->value.AsString() : nullptr;
}

}  // namespace

GgufModel ReadGgufModel(const GgufFile& file) {
  const std::string& name = file.header().architecture;
  if (const std::string* text = Text(file, "hearth.config")) {
    ModelConfig config = LanguageModelConfig(Json::Parse(*text));
    const convert::Architecture* tables = convert::FindByModelType(config.model_type());
    if (tables != nullptr && tables->gguf == name) {
      Json json = config.json();
      // Encoders' heads are not in the file.
      bool has_head = file.Find("output.weight") != nullptr || HeadOf(config) == Head::kCausalLm;
      if (!has_head) json.Erase("architectures");
      return {ModelConfig(std::move(json)), tables};
    }
  }
  const convert::Architecture* tables = convert::FindByGguf(name);
  if (tables == nullptr) {
    throw Error(Code::kUnimplemented,
                "GGUF models of architecture \"" + name.substr(0, 60) + "\" cannot run yet");
  }
  return {ModelConfig(Synthesis(file, *tables).Config()), tables};
}

}  // namespace hearth::runtime

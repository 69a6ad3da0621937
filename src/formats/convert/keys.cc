#include "formats/convert/keys.h"

#include "formats/gguf/gguf_writer.h"

namespace hearth::convert {

std::optional<uint64_t> KeyWriter::Count(std::initializer_list<std::string_view> fields) const {
  for (std::string_view field : fields) {
    const Json* value = config_.Find(field);
    if (value != nullptr && value->AsUint()) return value->AsUint();
  }
  return std::nullopt;
}

std::optional<double> KeyWriter::Real(std::initializer_list<std::string_view> fields) const {
  for (std::string_view field : fields) {
    const Json* value = config_.Find(field);
    if (value != nullptr && value->AsDouble()) return value->AsDouble();
  }
  return std::nullopt;
}

const Json* KeyWriter::Rope(std::string_view field, std::string_view kind) const {
  for (std::string_view group : {"rope_parameters", "rope_scaling"}) {
    const Json* rope = config_.Find(group);
    if (rope == nullptr) continue;
    // Models with two kinds of layers nest one set of parameters per kind.
    if (const Json* inner = rope->Find(kind); inner != nullptr && inner->is_object()) rope = inner;
    const Json* value = rope->Find(field);
    if (value != nullptr && !value->is_null()) return value;
  }
  const Json* value = config_.Find(field);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

void KeyWriter::Put(std::string_view key, std::string type, Json value) {
  std::string whole = architecture_ + "." + std::string(key);
  for (const GgufMetadata& entry : *out_) {
    if (entry.key == whole) return;
  }
  out_->push_back(GgufTyped(std::move(whole), std::move(type), std::move(value)));
}

void KeyWriter::PutCount(std::string_view key, std::optional<uint64_t> value) {
  if (value) Put(key, "uint32", Json(*value));
}

void KeyWriter::PutReal(std::string_view key, std::optional<double> value) {
  if (value) Put(key, "float32", Json(*value));
}

void KeyWriter::PutFlag(std::string_view key, bool value) { Put(key, "bool", Json(value)); }

void KeyWriter::PutText(std::string_view key, std::string value) {
  Put(key, "string", Json(std::move(value)));
}

void AddCommonKeys(KeyWriter& keys) {
  auto number = [&](const char* field) {
    const Json* value = keys.Rope(field);
    return value != nullptr ? value->AsDouble() : std::nullopt;
  };
  keys.PutCount("vocab_size", keys.Count({"vocab_size"}));
  keys.PutCount("block_count", keys.Count({"num_hidden_layers", "n_layers", "n_layer"}));
  keys.PutCount("context_length", keys.Count({"max_position_embeddings", "n_ctx", "n_positions"}));
  keys.PutCount("embedding_length", keys.Count({"hidden_size", "n_embd", "dim"}));
  keys.PutCount("feed_forward_length",
                keys.Count({"intermediate_size", "n_inner", "hidden_dim", "ffn_dim"}));
  keys.PutCount("attention.head_count", keys.Count({"num_attention_heads", "n_heads", "n_head"}));
  keys.PutCount("attention.head_count_kv", keys.Count({"num_key_value_heads"}));
  keys.PutReal("attention.layer_norm_rms_epsilon", keys.Real({"rms_norm_eps"}));
  keys.PutReal("attention.layer_norm_epsilon",
               keys.Real({"layer_norm_eps", "layer_norm_epsilon", "norm_eps"}));
  keys.PutReal("rope.freq_base", number("rope_theta"));
  const Json* type = keys.Rope("rope_type");
  if (type == nullptr) type = keys.Rope("type");
  const std::string* name = type != nullptr ? type->AsString() : nullptr;
  if (name == nullptr) return;
  if (*name == "linear" || *name == "yarn") {
    keys.PutText("rope.scaling.type", *name);
    keys.PutReal("rope.scaling.factor", number("factor"));
  }
  if (*name == "longrope" || *name == "su") keys.PutText("rope.scaling.type", "longrope");
  if (*name == "yarn" || *name == "longrope" || *name == "su") {
    const Json* original = keys.Rope("original_max_position_embeddings");
    keys.PutCount("rope.scaling.original_context_length",
                  original != nullptr ? original->AsUint() : std::nullopt);
  }
}

}  // namespace hearth::convert

// config.json of a model repository: what the model is and what runs it.
#include "base/error.h"
#include "formats/inspect/inspector.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxBytes = 16 << 20;

int Probe(std::string_view name, std::string_view) {
  bool plain = name == "config.json" || name.ends_with("/config.json");
  return plain || name.ends_with("adapter_config.json") || name.ends_with("model_index.json") ? 60
                                                                                              : 0;
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  if (source.size_bytes() > kMaxBytes)
    throw Error(Code::kTooLarge, "the configuration is larger than 16 MiB");
  Json config = Json::Parse(source.Read(0, static_cast<size_t>(source.size_bytes())));
  static constexpr std::string_view kKeys[] = {"model_type",
                                               "architectures",
                                               "_class_name",
                                               "peft_type",
                                               "base_model_name_or_path",
                                               "r",
                                               "lora_alpha",
                                               "target_modules",
                                               "task_type",
                                               "hidden_size",
                                               "num_hidden_layers",
                                               "num_attention_heads",
                                               "num_key_value_heads",
                                               "intermediate_size",
                                               "max_position_embeddings",
                                               "vocab_size",
                                               "torch_dtype",
                                               "dtype",
                                               "quantization_config",
                                               "auto_map",
                                               "transformers_version"};
  for (std::string_view key : kKeys) {
    const Json* value = config.Find(key);
    if (value != nullptr && !value->is_null())
      out->Add(std::string(key), *value, "key " + std::string(key));
  }
}

}  // namespace

extern const Inspector kConfigInspector;
const Inspector kConfigInspector = {"model configuration", Probe, Inspect};

}  // namespace hearth

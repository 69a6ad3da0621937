// adapter_config.json: which model the adapter belongs to, and how it changes it.
#include "formats/inspect/internal/json_facts.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxBytes = 16 << 20;

int Probe(std::string_view name, std::string_view) {
  return name.ends_with("adapter_config.json") ? 90 : 0;
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  AddKeys(ReadJsonObject(source, kMaxBytes),
          {"peft_type", "base_model_name_or_path", "revision", "task_type", "r", "lora_alpha",
           "lora_dropout", "target_modules", "exclude_modules", "modules_to_save",
           "layers_to_transform", "rank_pattern", "alpha_pattern", "bias", "use_rslora", "use_dora",
           "num_virtual_tokens", "inference_mode", "auto_mapping"},
          out);
}

}  // namespace

extern const Inspector kAdapterConfigInspector;
const Inspector kAdapterConfigInspector = {"adapter configuration", Probe, Inspect};

}  // namespace hearth

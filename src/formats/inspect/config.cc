// config.json of a model repository, model_index.json of a pipeline: what the model is and what
// runs it.
#include "formats/inspect/internal/json_facts.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxBytes = 16 << 20;

int Probe(std::string_view name, std::string_view) {
  return IsNamed(name, "config.json") || name.ends_with("model_index.json") ? 60 : 0;
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  AddKeys(ReadJsonObject(source, kMaxBytes),
          {"model_type", "architectures", "_class_name", "hidden_size", "num_hidden_layers",
           "num_attention_heads", "num_key_value_heads", "intermediate_size",
           "max_position_embeddings", "vocab_size", "torch_dtype", "dtype", "quantization_config",
           "auto_map", "transformers_version"},
          out);
}

}  // namespace

extern const Inspector kConfigInspector;
const Inspector kConfigInspector = {"model configuration", Probe, Inspect};

}  // namespace hearth

#include "runtime/adapter.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "formats/convert/transform.h"
#include "runtime/architecture.h"
#include "runtime/checkpoint_sources.h"
#include "text/regex.h"

namespace hearth::runtime {
namespace {

namespace fs = std::filesystem;
using tensor::Weight;
using tensor::WeightView;

constexpr uint64_t kMaxConfigBytes = 1u << 20;
constexpr size_t kMaxPatterns = 4096;
constexpr uint32_t kMaxRank = 1u << 16;

[[noreturn]] void Refuse(Code code, const std::string& message) {
  throw Error(code, "adapter: " + message);
}

bool IsSet(const Json& config, std::string_view key) {
  const Json* value = config.Find(key);
  if (value == nullptr || value->is_null()) return false;
  if (auto flag = value->AsBool()) return *flag;
  return value->is_number() || value->size() > 0;
}

// rank_pattern and alpha_pattern: numbers by regular expressions over the ends of layers' names.
class Patterns {
 public:
  Patterns(const Json& config, std::string_view key) {
    const Json* object = config.Find(key);
    if (object == nullptr || object->AsObject() == nullptr) return;
    if (object->size() > kMaxPatterns) Refuse(Code::kTooLarge, "too many patterns");
    for (const auto& [pattern, value] : *object->AsObject()) {
      auto number = value.AsDouble();
      if (!number) Refuse(Code::kInvalidArgument, std::string(key) + " must hold numbers");
      list_.emplace_back(Regex::Compile("\\A(?:.*\\.)?(?:" + pattern + ")\\z"), *number);
    }
  }

  double For(const std::string& layer, double otherwise) const {
    for (const auto& [pattern, number] : list_) {
      if (pattern.Find(layer)) return number;
    }
    return otherwise;
  }

 private:
  std::vector<std::pair<Regex, double>> list_;
};

struct Settings {
  explicit Settings(const Json& config)
      : alpha(config.Find("lora_alpha") != nullptr
                  ? config.Find("lora_alpha")->AsDouble().value_or(NAN)
                  : 8.0),
        root(IsSet(config, "use_rslora")),
        alphas(config, "alpha_pattern") {
    if (!std::isfinite(alpha)) Refuse(Code::kInvalidArgument, "lora_alpha must be a number");
  }

  float Scale(const std::string& layer, uint32_t rank) const {
    double divisor = root ? std::sqrt(static_cast<double>(rank)) : rank;
    return static_cast<float>(alphas.For(layer, alpha) / divisor);
  }

  double alpha;
  bool root;  // rsLoRA: divided by the rank's root
  Patterns alphas;
};

void CheckKind(const Json& config) {
  std::string kind = config.StringField("peft_type").value_or("");
  if (kind != "LORA") {
    Refuse(Code::kUnimplemented, "kind \"" + kind.substr(0, 40) + "\" is not LoRA");
  }
  for (const char* key :
       {"use_dora", "use_qalora", "lora_bias", "modules_to_save", "layer_replication",
        "alora_invocation_tokens", "trainable_token_indices", "target_parameters"}) {
    if (IsSet(config, key)) Refuse(Code::kUnimplemented, std::string("\"") + key + "\" is set");
  }
  std::string bias = config.StringField("bias").value_or("none");
  if (bias != "none") Refuse(Code::kUnimplemented, "it has biases of its own");
}

// "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight": the layer and which half.
struct HalfName {
  std::string layer;
  bool is_a = false;
};

HalfName ParseName(std::string_view name) {
  constexpr std::string_view kStart = "base_model.model.";
  std::string_view inner = name;
  if (inner.starts_with(kStart)) inner.remove_prefix(kStart.size());
  // Some tools leave the adapter's name in: ".lora_A.default.weight".
  for (auto [mark, is_a] :
       {std::pair<std::string_view, bool>{".lora_A.", true}, {".lora_B.", false}}) {
    size_t at = inner.rfind(mark);
    if (at != std::string_view::npos && inner.ends_with("weight")) {
      return {std::string(inner.substr(0, at)), is_a};
    }
  }
  Refuse(Code::kUnimplemented,
         "the tensor " + std::string(name.substr(0, 200)) + " is no half of a linear layer's pair");
}

class Loader {
 public:
  Loader(const Checkpoint& model, const Settings& settings)
      : model_(model),
        settings_(settings),
        architecture_(ArchitectureOf(model.config)),
        context_(model.config, model.weights, std::string(architecture_.prefix), Head::kNone) {}

  AdapterPair Pair(const std::string& layer, const WeightView& a, const WeightView& b) const {
    AdapterPair pair;
    pair.weight = Find(layer);
    const WeightView& weight = model_.weights.View(pair.weight);
    bool fits = a.columns == weight.columns && b.rows == weight.rows && a.rows == b.columns &&
                a.rows <= kMaxRank;
    if (!fits) Refuse(Code::kInvalidArgument, layer + " has another shape in the model");
    pair.rank = static_cast<uint32_t>(a.rows);
    pair.scale = settings_.Scale(layer, pair.rank);
    pair.a = tensor::ToFloats(a);
    pair.b = tensor::ToFloats(b);
    ReorderOutputs(layer, &pair);
    return pair;
  }

 private:
  Weight Find(const std::string& layer) const {
    std::string name = layer + ".weight";
    if (Weight found = context_.Maybe(name)) return found;
    std::string_view inner = name;
    if (inner.starts_with(architecture_.prefix)) inner.remove_prefix(architecture_.prefix.size());
    if (Weight found = context_.Maybe(inner)) return found;
    if (layer == "lm_head" || layer == "embed_out") {
      // The embedding serves as the last layer; a pair changes it there only.
      for (const char* tied : {"embed_tokens.weight", "wte.weight", "embed_in.weight",
                               "decoder.embed_tokens.weight"}) {
        if (Weight found = context_.Maybe(tied)) return found;
      }
    }
    Refuse(Code::kInvalidArgument, "the model has no layer " + layer.substr(0, 200));
  }

  // GPT-NeoX's fused projections lie in another order here.
  void ReorderOutputs(const std::string& layer, AdapterPair* pair) const {
    const convert::Architecture* tables = convert::FindByModelType(architecture_.model_type);
    if (tables == nullptr) return;
    convert::Named named;
    try {
      named = convert::NameInCheckpoint(*tables, layer + ".weight");
    } catch (const Error&) {
      return;  // a layer that GGUF has no place for
    }
    if (named.rule == nullptr || named.rule->transform != convert::Transform::kFusedHeads) return;
    convert::RowParameters rows;
    rows.heads = architecture_.shape(model_.config).heads;
    uint64_t outputs = pair->b.size() / pair->rank;
    std::vector<uint64_t> order =
        convert::CheckpointRows(convert::Transform::kFusedHeads, outputs, rows);
    std::vector<float> turned(pair->b.size());
    for (size_t i = 0; i < order.size(); ++i) {
      std::copy_n(&pair->b[order[i] * pair->rank], pair->rank, &turned[i * pair->rank]);
    }
    pair->b = std::move(turned);
  }

  const Checkpoint& model_;
  const Settings& settings_;
  const Architecture& architecture_;
  ModelContext context_;
};

void ReadTensors(const fs::path& folder, tensor::WeightSet* weights) {
  WeightLoader loader(ModelConfig(Json::Obj()), weights);
  if (fs::exists(folder / "adapter_model.safetensors")) {
    LoadSafetensors(folder / "adapter_model.safetensors", &loader);
  } else {
    LoadTorchFile(folder / "adapter_model.bin", &loader);
  }
}

}  // namespace

Adapter LoadAdapter(const fs::path& folder, const Checkpoint& model) {
  Json config = Json::Parse(ReadFile(folder / "adapter_config.json", kMaxConfigBytes));
  CheckKind(config);
  Settings settings(config);
  tensor::WeightSet tensors;
  ReadTensors(folder, &tensors);
  struct Halves {
    std::optional<WeightView> a, b;
  };
  std::map<std::string, Halves> layers;
  for (size_t i = 0; i < tensors.size(); ++i) {
    Weight weight{static_cast<int32_t>(i)};
    // Beside a pair of the last layer PEFT saves the layer itself, as it is in the model.
    if (tensors.Name(weight).find(".base_layer.") != std::string::npos) continue;
    HalfName name = ParseName(tensors.Name(weight));
    Halves& halves = layers[name.layer];
    (name.is_a ? halves.a : halves.b) = tensors.View(weight);
  }
  Adapter adapter;
  adapter.base_model = config.StringField("base_model_name_or_path").value_or("");
  Loader loader(model, settings);
  for (const auto& [layer, halves] : layers) {
    if (!halves.a || !halves.b) Refuse(Code::kInvalidArgument, layer + " has half a pair");
    adapter.pairs.push_back(loader.Pair(layer, *halves.a, *halves.b));
  }
  if (adapter.pairs.empty()) Refuse(Code::kInvalidArgument, "there are no pairs in it");
  return adapter;
}

}  // namespace hearth::runtime

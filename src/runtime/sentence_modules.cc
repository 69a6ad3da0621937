#include "runtime/sentence_modules.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "formats/gguf/gguf_file.h"
#include "runtime/checkpoint_sources.h"

namespace hearth::runtime {
namespace {

namespace fs = std::filesystem;
using tensor::Activation;
using tensor::Pooling;
using tensor::Value;
using Kind = SentenceModule::Kind;

constexpr uint64_t kMaxJsonBytes = 16u << 20;
constexpr size_t kMaxModules = 64;
// Of pytorch's own defaults.
constexpr float kNormEpsilon = 1e-5f;
constexpr float kNormalizeEpsilon = 1e-12f;

// In the order in which several are put side by side.
struct PoolingName {
  const char* now;
  const char* old;  // a switch of its own, before version 5
  Pooling pooling;
};
constexpr PoolingName kPoolings[] = {
    {"cls", "pooling_mode_cls_token", Pooling::kFirst},
    {"max", "pooling_mode_max_tokens", Pooling::kMax},
    {"mean", "pooling_mode_mean_tokens", Pooling::kMean},
    {"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", Pooling::kMeanSqrtLength},
    {"weightedmean", "pooling_mode_weightedmean_tokens", Pooling::kWeightedMean},
    {"lasttoken", "pooling_mode_lasttoken", Pooling::kLast},
};

Json ReadObject(const fs::path& path) {
  Json json = Json::Parse(ReadFile(path, kMaxJsonBytes));
  if (!json.is_object()) {
    throw Error(Code::kInvalidArgument, path.filename().string() + " must hold an object");
  }
  return json;
}

bool FlagAt(const Json& json, std::string_view key, bool otherwise) {
  const Json* value = json.Find(key);
  return value != nullptr ? value->AsBool().value_or(otherwise) : otherwise;
}

Pooling PoolingNamed(const std::string& name) {
  for (const PoolingName& each : kPoolings) {
    if (name == each.now) return each.pooling;
  }
  throw Error(Code::kUnimplemented, "unknown pooling \"" + name.substr(0, 40) + "\"");
}

std::vector<Pooling> Poolings(const Json& config) {
  std::vector<Pooling> poolings;
  const Json* mode = config.Find("pooling_mode");
  if (mode != nullptr && mode->AsString() != nullptr) return {PoolingNamed(*mode->AsString())};
  if (mode != nullptr && mode->AsArray() != nullptr) {
    for (const Json& item : *mode->AsArray()) {
      if (item.AsString() != nullptr) poolings.push_back(PoolingNamed(*item.AsString()));
    }
  } else {
    for (const PoolingName& each : kPoolings) {
      if (FlagAt(config, each.old, false)) poolings.push_back(each.pooling);
    }
  }
  if (poolings.empty()) poolings.push_back(Pooling::kMean);
  return poolings;
}

SparsePooling Sparse(const Json& config) {
  auto choice = [&](std::string_view key, std::string_view usual, std::string_view other) {
    std::string value = config.StringField(key).value_or(std::string(usual));
    if (value != usual && value != other) {
      throw Error(Code::kUnimplemented, "unknown " + std::string(key) + " of a sparse pooling");
    }
    return value == other;
  };
  SparsePooling pooling;
  pooling.sums = choice("pooling_strategy", "max", "sum");
  pooling.twice = choice("activation_function", "relu", "log1p_relu");
  return pooling;
}

// "torch.nn.modules.activation.Tanh"
Activation ActivationNamed(const std::string& name) {
  constexpr std::pair<std::string_view, Activation> kNames[] = {
      {"Identity", Activation::kNone}, {"Tanh", Activation::kTanh},
      {"ReLU", Activation::kRelu},     {"GELU", Activation::kGelu},
      {"SiLU", Activation::kSilu},     {"Sigmoid", Activation::kSigmoid},
  };
  std::string_view last = std::string_view(name).substr(name.rfind('.') + 1);
  for (auto [known, activation] : kNames) {
    if (last == known) return activation;
  }
  throw Error(Code::kUnimplemented, "unknown activation \"" + name.substr(0, 80) + "\"");
}

// Weights of a module's folder, under the folder's name.
void AddWeights(const fs::path& folder, const std::string& name, Checkpoint* checkpoint) {
  tensor::WeightSet own;
  WeightLoader loader(ModelConfig(Json::Obj()), &own);
  if (fs::exists(folder / "model.safetensors")) {
    LoadSafetensors(folder, &loader);
  } else {
    LoadTorch(folder, &loader);
  }
  auto kept = std::make_shared<tensor::WeightSet>(std::move(own));
  for (size_t i = 0; i < kept->size(); ++i) {
    tensor::Weight weight{static_cast<int32_t>(i)};
    checkpoint->weights.Add(name + "." + kept->Name(weight), kept->View(weight));
  }
  checkpoint->weights.Keep(kept);
  for (const tensor::WeightFile& file : kept->files()) checkpoint->weights.KeepFile(kept, file);
}

SentenceModule Dense(const fs::path& folder, const std::string& name, Checkpoint* checkpoint) {
  SentenceModule module{Kind::kDense, {}, name};
  Json config = ReadObject(folder / "config.json");
  const Json* activation = config.Find("activation_function");
  bool named = activation != nullptr && activation->AsString() != nullptr;
  module.activation = named ? ActivationNamed(*activation->AsString()) : Activation::kTanh;
  module.residual = FlagAt(config, "use_residual", false);
  for (const char* key : {"module_input_name", "module_output_name"}) {
    const Json* value = config.Find(key);
    if (value != nullptr && !value->is_null() && *value != Json("sentence_embedding")) {
      throw Error(Code::kUnimplemented, "a dense layer over something else than embeddings");
    }
  }
  AddWeights(folder, name, checkpoint);
  return module;
}

// Module folders lie inside the model's.
fs::path FolderOf(const fs::path& model, const std::string& name) {
  fs::path path(name);
  bool plain = !path.is_absolute() &&
               std::none_of(path.begin(), path.end(), [](const fs::path& p) { return p == ".."; });
  if (!plain) throw Error(Code::kInvalidArgument, "modules.json names a path outside the model");
  return model / path;
}

class Loader {
 public:
  explicit Loader(Checkpoint* checkpoint) : checkpoint_(checkpoint) {}

  SentenceModules Load() {
    const fs::path& model = checkpoint_->folder;
    Json list = Json::Parse(ReadFile(model / "modules.json", kMaxJsonBytes));
    if (list.AsArray() == nullptr || list.size() > kMaxModules) {
      throw Error(Code::kInvalidArgument, "modules.json must hold a list of modules");
    }
    for (const Json& entry : *list.AsArray()) {
      AddModule(entry.RequireString("type"), entry.StringField("path").value_or(""));
    }
    bool pools = std::any_of(made_.modules.begin(), made_.modules.end(),
                             [](const SentenceModule& m) { return m.kind == Kind::kPooling; });
    if (made_.sparse && !made_.modules.empty()) {
      throw Error(Code::kUnimplemented, "modules.json has modules beside a sparse pooling");
    }
    if (!pools && !made_.sparse) throw Error(Code::kUnimplemented, "modules.json has no pooling");
    ReadPrompts(model / "config_sentence_transformers.json");
    return std::move(made_);
  }

 private:
  void AddModule(const std::string& type, const std::string& path);
  void ReadLimits(const fs::path& folder);
  void ReadPrompts(const fs::path& path);

  Checkpoint* checkpoint_;
  SentenceModules made_;
};

void Loader::AddModule(const std::string& type, const std::string& path) {
  std::string name = type.substr(type.rfind('.') + 1);
  fs::path folder = FolderOf(checkpoint_->folder, path);
  if (name == "Transformer" || name == "MLMTransformer") {
    if (!path.empty() && fs::absolute(folder).lexically_normal() !=
                             fs::absolute(checkpoint_->folder / "").lexically_normal()) {
      throw Error(Code::kUnimplemented, "a transformer in a folder of its own");
    }
    ReadLimits(folder);
  } else if (name == "Pooling") {
    Json config = ReadObject(folder / "config.json");
    made_.include_prompt = FlagAt(config, "include_prompt", true);
    made_.modules.push_back({Kind::kPooling, Poolings(config)});
  } else if (name == "SpladePooling") {
    made_.sparse = Sparse(ReadObject(folder / "config.json"));
  } else if (name == "Normalize") {
    made_.modules.push_back({Kind::kNormalize});
  } else if (name == "Dense") {
    made_.modules.push_back(Dense(folder, path, checkpoint_));
  } else if (name == "LayerNorm") {
    AddWeights(folder, path, checkpoint_);
    made_.modules.push_back({Kind::kLayerNorm, {}, path});
  } else if (name != "Dropout") {
    throw Error(Code::kUnimplemented, "unknown sentence module \"" + type.substr(0, 80) + "\"");
  }
}

// The file is called after the model's class in old repositories.
void Loader::ReadLimits(const fs::path& folder) {
  for (const char* kind :
       {"bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"}) {
    fs::path path = folder / (std::string("sentence_") + kind + "_config.json");
    if (!fs::exists(path)) continue;
    Json config = ReadObject(path);
    const Json* limit = config.Find("max_seq_length");
    auto tokens = limit != nullptr ? limit->AsUint() : std::nullopt;
    if (tokens && *tokens > 0 && *tokens <= UINT32_MAX) {
      made_.max_tokens = static_cast<uint32_t>(*tokens);
    }
    made_.lower_case = FlagAt(config, "do_lower_case", false);
    return;
  }
}

void Loader::ReadPrompts(const fs::path& path) {
  if (!fs::exists(path)) return;
  Json config = ReadObject(path);
  const Json* prompts = config.Find("prompts");
  if (prompts != nullptr && prompts->AsObject() != nullptr) {
    for (const auto& [name, text] : *prompts->AsObject()) {
      if (text.AsString() != nullptr) made_.prompts.emplace_back(name, *text.AsString());
    }
  }
  made_.default_prompt = config.StringField("default_prompt_name").value_or("");
  made_.similarity = config.StringField("similarity_fn_name").value_or("cosine");
}

// llama.cpp's numbers: 1 mean, 2 first, 3 last.
std::optional<SentenceModules> FromGguf(const GgufFile& file) {
  const GgufMetadata* entry = file.header().Find(file.header().architecture + ".pooling_type");
  auto type = entry != nullptr ? entry->value.AsUint() : std::nullopt;
  if (!type || *type < 1 || *type > 3) return std::nullopt;
  constexpr Pooling kByNumber[] = {Pooling::kMean, Pooling::kFirst, Pooling::kLast};
  SentenceModules made = MeanPooling();
  made.modules.front().poolings = {kByNumber[*type - 1]};
  return made;
}

}  // namespace

const std::string* SentenceModules::FindPrompt(std::string_view name) const {
  for (const auto& [known, text] : prompts) {
    if (known == name) return &text;
  }
  return nullptr;
}

SentenceModules MeanPooling() {
  SentenceModules made;
  made.modules.push_back({Kind::kPooling, {Pooling::kMean}});
  return made;
}

std::optional<SentenceModules> LoadSentenceModules(Checkpoint* checkpoint) {
  if (checkpoint->gguf_file != nullptr) return FromGguf(*checkpoint->gguf_file);
  if (!fs::exists(checkpoint->folder / "modules.json")) return std::nullopt;
  return Loader(checkpoint).Load();
}

Value AppendSentenceModules(const SentenceModules& modules, const tensor::WeightSet& weights,
                            tensor::Builder& b, Value x) {
  auto need = [&](const std::string& name) {
    auto found = weights.Find(name);
    if (!found) throw Error(Code::kInvalidArgument, "the checkpoint lacks the tensor " + name);
    return *found;
  };
  auto maybe = [&](const std::string& name) {
    return weights.Find(name).value_or(tensor::Weight{});
  };
  for (const SentenceModule& module : modules.modules) {
    switch (module.kind) {
      case Kind::kPooling: {
        std::vector<Value> parts;
        for (Pooling pooling : module.poolings) parts.push_back(b.Pool(x, pooling));
        x = parts.size() == 1 ? parts.front() : b.Concat(parts);
        break;
      }
      case Kind::kDense: {
        std::string linear = module.folder + ".linear.";
        Value out = b.Linear(x, need(linear + "weight"), maybe(linear + "bias"));
        if (module.activation != Activation::kNone) out = b.Activate(out, module.activation);
        if (module.residual) {
          tensor::Weight widened = maybe(module.folder + ".residual.weight");
          out = b.Add(out, widened ? b.Linear(x, widened) : x);
        }
        x = out;
        break;
      }
      case Kind::kLayerNorm: {
        tensor::NormOptions options;
        options.weight = need(module.folder + ".norm.weight");
        options.bias = maybe(module.folder + ".norm.bias");
        options.epsilon = kNormEpsilon;
        x = b.Norm(x, options);
        break;
      }
      case Kind::kNormalize: {
        tensor::NormOptions options;
        options.kind = tensor::NormKind::kL2;
        options.epsilon = kNormalizeEpsilon;
        x = b.Norm(x, options);
        break;
      }
    }
  }
  return x;
}

}  // namespace hearth::runtime

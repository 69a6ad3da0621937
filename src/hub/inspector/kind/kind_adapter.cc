// Adapters: a small set of weights that only works on top of a base model.
#include <algorithm>

#include "base/bytes.h"
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

// Parts of names that the adapter libraries give: PEFT, diffusers, kohya, LyCORIS. They begin where
// a part of the name does: "backbone_" and "soft_" are none.
constexpr std::string_view kMarks[] = {"lora_A",
                                       "lora_B",
                                       "lora_down",
                                       "lora_up",
                                       "lora_embedding_",
                                       "lora_mid",
                                       "lora_magnitude",
                                       "lora_a",
                                       "lora_b",
                                       "lora.down",
                                       "lora.up",
                                       "hada_w",
                                       "hada_t",
                                       "ia3_",
                                       "lokr_w",
                                       "oft_",
                                       "boft_",
                                       "vera_lambda",
                                       "prompt_embeddings",
                                       "prompt_encoder.",
                                       "adaption_prompt",
                                       "adaption_gate",
                                       "randlora_",
                                       "fourierft_",
                                       "dora_scale",
                                       "vblora_",
                                       "shira_",
                                       "c3a_kernel"};
// What stands beside them and nowhere else.
constexpr std::string_view kCompanions[] = {".alpha", ".network_alpha"};

bool IsFullName(std::string_view name) {
  return std::none_of(std::begin(kCompanions), std::end(kCompanions),
                      [name](std::string_view mark) { return name.ends_with(mark); });
}

struct Count {
  size_t adapter = 0;
  size_t wrapped = 0;  // whole modules that PEFT saved along
  size_t full = 0;
  std::string first;  // an adapter's tensor
  std::string stranger;
};

Count CountTensors(const WeightFile& file) {
  Count count;
  for (const InspectedTensor& tensor : file.tensors) {
    if (IsAdapterTensor(tensor.name)) {
      if (count.adapter++ == 0) count.first = tensor.name;
    } else if (tensor.name.starts_with("base_model.model.")) {
      ++count.wrapped;
    } else if (IsFullName(tensor.name)) {
      if (count.full++ == 0) count.stranger = tensor.name;
    }
  }
  return count;
}

bool IsAdapterWeights(std::string_view name) {
  return name.starts_with("adapter_model.") || name.starts_with("adapter_model-");
}

void CopyFields(const Json& config, Json* facts) {
  for (const char* key : {"peft_type", "base_model_name_or_path", "revision", "task_type", "r",
                          "lora_alpha", "use_dora", "num_virtual_tokens"}) {
    const Json* value = config.Find(key);
    if (value != nullptr && !value->is_null()) facts->Set(key, *value);
  }
  const Json* targets = config.Find("target_modules");
  if (targets != nullptr && !targets->is_null() && targets->Dump().size() < 4096)
    facts->Set("target_modules", *targets);
}

// One folder with an adapter_config.json.
void FindPeft(const Survey& survey, const std::string& path, Classification* result) {
  Json config = survey.ReadJson(path);
  std::string method = CardText(config, "peft_type");
  if (method.empty()) return;
  std::string folder(FolderOf(path));
  KindFinding& kind =
      result->Add("adapter", Level::kDeclared, At(path, "/peft_type", "an adapter: " + method));
  CopyFields(config, &kind.facts);
  bool weights = false;
  for (const WeightFile& file : survey.weights()) {
    if (file.folder() != folder) continue;
    bool named = IsAdapterWeights(BaseName(file.path));
    Count count = CountTensors(file);
    if (count.adapter > 0 && count.full == 0 && file.verified) {
      weights = true;
      result->Add("adapter", Level::kProved,
                  At(file.path, "tensor " + count.first, "weights of an adapter only"));
    } else if (named) {
      weights = true;
      if (!file.verified || count.full == 0) continue;
      result
          ->Warn("adapter_weights", Level::kProved,
                 file.path + " is called an adapter, but holds other tensors.")
          .evidence.push_back(At(file.path, "tensor " + count.stranger, "no tensor of an adapter"));
    }
  }
  if (!weights) {
    result
        ->Warn("adapter_without_weights", Level::kProved,
               "There is an adapter configuration, but no adapter weights beside it.")
        .evidence.push_back(At(path, "", "nothing of an adapter lies in this folder"));
  }
}

// Weights without a configuration, as image models have them.
void FindBare(const WeightFile& file, Classification* result) {
  Count count = CountTensors(file);
  if (!file.verified || count.adapter == 0 || count.full > 0 || count.wrapped > 0) return;
  KindFinding& kind =
      result->Add("adapter", Level::kProved,
                  At(file.path, "tensor " + count.first, "every tensor is that of an adapter"));
  if (kind.facts.Find("peft_type") == nullptr && file.format == WeightFormat::kSafetensors &&
      AsciiLower(count.first).find("lora") != std::string::npos)
    kind.facts.Set("peft_type", "LORA");
}

void FindGguf(const WeightFile& file, Classification* result) {
  if (!file.verified) return;
  const Json* type = file.Metadata("general.type");
  if (type == nullptr || type->AsString() == nullptr || *type->AsString() != "adapter") return;
  Count count = CountTensors(file);
  if (count.adapter == 0 || count.full > 0) return;
  result->Add("adapter", Level::kProved, At(file.path, "key general.type", "adapter"));
}

}  // namespace

bool IsAdapterTensor(std::string_view name) {
  for (std::string_view mark : kMarks) {
    for (size_t at = name.find(mark); at != std::string_view::npos; at = name.find(mark, at + 1)) {
      char before = at == 0 ? '.' : name[at - 1];
      if (before == '.' || (before == '_' && mark.starts_with("lora"))) return true;
    }
  }
  return false;
}

void FindAdapter(const Survey& survey, Classification* result) {
  if (survey.type() == "space" || survey.type() == "dataset") return;
  for (const std::string& path : survey.Named("adapter_config.json"))
    FindPeft(survey, path, result);
  for (const WeightFile& file : survey.weights()) {
    if (file.format == WeightFormat::kGguf) {
      FindGguf(file, result);
    } else {
      FindBare(file, result);
    }
  }
  if (result->Is("adapter")) return;
  bool says = survey.Relation() == "adapter" ||
              AsciiEqualsIgnoreCase(CardText(survey.card().data, "library_name"), "peft");
  if (!says) return;
  std::string key = survey.Relation() == "adapter" ? "base_model_relation" : "library_name";
  Evidence said = OnCard(survey, key, "the card calls it an adapter");
  if (survey.AllVerified()) {
    result
        ->Warn("relation_adapter", Level::kProved,
               "The card calls this an adapter; its files hold a whole model.")
        .evidence = {said, At(survey.weights()[0].path, "", "no tensor of an adapter")};
    return;
  }
  result->Add("adapter", Level::kDeclared, said);
}

}  // namespace hearth::inspector

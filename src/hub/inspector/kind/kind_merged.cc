// Merged models. The record that mergekit leaves says how a merge was made; whether these weights
// came out of it only a comparison with the parents can prove.
#include <algorithm>

#include "base/error.h"
#include "codec/yaml.h"
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

constexpr YamlLimits kLimits{.max_bytes = 1u << 20, .max_depth = 40, .max_nodes = 50'000};
constexpr size_t kMaxParents = 50;

// Every "model: ns/name" in it, in order.
void CollectModels(const Json& value, std::vector<std::string>* models) {
  if (const Json::Array* items = value.AsArray()) {
    for (const Json& item : *items) CollectModels(item, models);
  } else if (const Json::Object* members = value.AsObject()) {
    for (const auto& [key, member] : *members) {
      const std::string* text = member.AsString();
      bool model = (key == "model" || key == "base_model") && text != nullptr;
      if (model && models->size() < kMaxParents &&
          std::find(models->begin(), models->end(), *text) == models->end())
        models->push_back(*text);
      CollectModels(member, models);
    }
  }
}

void ReadRecord(const Survey& survey, const std::string& path, Classification* result) {
  std::optional<std::string> text = survey.ReadText(path);
  if (!text) return;
  Json record;
  try {
    record = ParseYaml(*text, kLimits);
  } catch (const Error&) {
    return;
  }
  std::string method = CardText(record, "merge_method");
  std::vector<std::string> models;
  CollectModels(record, &models);
  if (method.empty() && models.size() < 2) return;
  KindFinding& kind = result->Add("merged", Level::kDeclared,
                                  At(path, "/merge_method", "mergekit's record of a merge"));
  if (!method.empty()) kind.facts.Set("method", method);
  if (!models.empty()) kind.facts.Set("models", Json(models));
}

}  // namespace

void FindMerged(const Survey& survey, Classification* result) {
  if (survey.type() == "space" || survey.type() == "dataset") return;
  for (const char* path : {"mergekit_config.yml", "mergekit_config.yaml"})
    ReadRecord(survey, path, result);
  if (survey.Relation() == "merge")
    result->Add("merged", Level::kDeclared,
                OnCard(survey, "base_model_relation", "the card calls it a merge"));
  if (result->Is("merged")) return;
  bool tagged = survey.HasTag("merge") || survey.HasTag("mergekit");
  std::vector<std::string> parents = CardList(survey.card().data, "base_model");
  if (tagged) {
    result->Add("merged", Level::kDeclared,
                OnCard(survey, "tags", "the card is tagged as a merge"));
  } else if (parents.size() >= 2 && survey.Relation().empty() && !result->Is("adapter") &&
             !result->Is("quantized") && !survey.weights().empty()) {
    result->Add("merged", Level::kInferred,
                OnCard(survey, "base_model", "the card names several base models"));
  }
}

}  // namespace hearth::inspector

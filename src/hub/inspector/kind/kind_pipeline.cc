// Pipelines of several models, as diffusers keeps them: an index, and a folder per component.
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMaxComponents = 100;

// A component is ["library", "Class"], and may be null.
std::vector<std::string> Components(const Json& index) {
  std::vector<std::string> names;
  const Json::Object* members = index.AsObject();
  if (members == nullptr) return names;
  for (const auto& [key, value] : *members) {
    const Json::Array* pair = value.AsArray();
    bool component = pair != nullptr && pair->size() >= 2 && (*pair)[0].is_string() &&
                     (*pair)[1].is_string() && !key.starts_with("_");
    if (component && names.size() < kMaxComponents) names.push_back(key);
  }
  return names;
}

void ReadIndex(const Survey& survey, const std::string& path, Classification* result) {
  Json index = survey.ReadJson(path);
  std::string class_name = CardText(index, "_class_name");
  if (class_name.empty()) return;
  KindFinding& kind =
      result->Add("pipeline", Level::kDeclared, At(path, "/_class_name", class_name));
  kind.facts.Set("class", class_name);
  std::vector<std::string> components = Components(index);
  kind.facts.Set("components", Json(components));
  std::vector<Evidence> missing;
  for (const std::string& name : components) {
    if (!survey.HasBelow(name))
      missing.push_back(At(path, "/" + name, "the component has no folder"));
  }
  bool weights = false;
  for (const WeightFile& file : survey.weights())
    weights = weights || (file.verified && !file.folder().empty());
  if (!missing.empty() && path == "model_index.json") {
    result
        ->Warn("pipeline_components", Level::kProved,
               "The pipeline names components that are not in the repository.")
        .evidence = missing;
  } else if (!components.empty() && weights) {
    result->Add("pipeline", Level::kProved,
                At(path, "", "every component that it names has its folder"));
  }
}

}  // namespace

void FindPipeline(const Survey& survey, Classification* result) {
  if (survey.type() == "space" || survey.type() == "dataset") return;
  for (const char* path : {"model_index.json", "modular_model_index.json"})
    ReadIndex(survey, path, result);
}

}  // namespace hearth::inspector

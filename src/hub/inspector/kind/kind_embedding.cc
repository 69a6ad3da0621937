// Models that give a text its vector, as sentence-transformers keeps them.
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

// "sentence_transformers.models.Pooling" -> "Pooling"
std::string_view ClassOf(const std::string& type) {
  size_t dot = type.rfind('.');
  return dot == std::string::npos ? std::string_view(type) : std::string_view(type).substr(dot + 1);
}

struct Modules {
  bool listed = false;
  std::string pool;  // folder of the module that makes the vector
  std::string pool_class;
  bool complete = false;  // its configuration is there, where it has one
};

Modules ReadModules(const Survey& survey) {
  Modules modules;
  Json list = survey.ReadJson("modules.json");
  if (!list.is_array()) return modules;
  for (const Json& module : *list.AsArray()) {
    std::string type = CardText(module, "type");
    std::string_view name = ClassOf(type);
    modules.listed = modules.listed || type.starts_with("sentence_transformers");
    bool pools = name == "Pooling" || name == "WeightedLayerPooling" || name == "StaticEmbedding" ||
                 name == "SpladePooling" || name == "SparseAutoEncoder" || name == "CLIPModel" ||
                 name == "WordWeights";
    if (!pools) continue;
    modules.pool = CardText(module, "path");
    modules.pool_class = std::string(name);
    bool config_of_own = name == "Pooling" || name == "SpladePooling";
    modules.complete = !config_of_own || survey.Has(modules.pool + "/config.json");
  }
  return modules;
}

}  // namespace

void FindEmbedding(const Survey& survey, Classification* result) {
  if (survey.type() == "space" || survey.type() == "dataset") return;
  Modules modules = ReadModules(survey);
  if (!modules.pool_class.empty()) {
    bool weights = false;
    for (const WeightFile& file : survey.weights()) weights = weights || file.verified;
    bool proved = modules.complete && weights && modules.listed;
    KindFinding& kind = result->Add(
        "embedding", proved ? Level::kProved : Level::kDeclared,
        At("modules.json", "", "a module " + modules.pool_class + " makes one vector of a text"));
    std::string config = modules.pool + "/config.json";
    if (survey.Has(config)) kind.evidence.push_back(At(config, "", "how it is made"));
    return;
  }
  std::string task = CardText(survey.card().data, "pipeline_tag");
  std::string library = CardText(survey.card().data, "library_name");
  if (task == "sentence-similarity") {
    result->Add("embedding", Level::kDeclared, OnCard(survey, "pipeline_tag", task));
  } else if (library == "sentence-transformers" && task != "text-ranking" &&
             !result->Is("reranker") && !survey.HasTag("cross-encoder")) {
    result->Add("embedding", Level::kDeclared, OnCard(survey, "library_name", library));
  }
}

}  // namespace hearth::inspector

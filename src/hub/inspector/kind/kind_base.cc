// A model of its own: whole weights, and nobody says that they came from others. That nobody says
// so proves nothing, so this is never more than inferred.
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {

void FindBase(const Survey& survey, Classification* result) {
  if (survey.type() == "space" || survey.type() == "dataset") return;
  // A configuration of an adapter may have been left beside the whole model.
  const KindFinding* adapter = result->Find("adapter");
  if (adapter != nullptr && adapter->level == Level::kProved) return;
  const KindFinding* pipeline = result->Find("pipeline");
  if (pipeline != nullptr && pipeline->level != Level::kProved) return;
  for (const char* kind :
       {"quantized", "merged", "converted", "copy", "finetune", "tokenizer", "space"}) {
    if (result->Is(kind)) return;
  }
  if (!CardList(survey.card().data, "base_model").empty()) return;
  const WeightFile* weights = nullptr;
  for (const WeightFile& file : survey.weights()) {
    if (file.verified && weights == nullptr) weights = &file;
  }
  if (weights == nullptr) return;
  const Json& config = survey.config();
  bool configured = config.Find("model_type") != nullptr || config.Find("architectures") != nullptr;
  bool library = !CardText(survey.card().data, "library_name").empty();
  if (!configured && pipeline == nullptr && !result->Is("embedding") && !library) return;
  KindFinding& kind = result->Add("base", Level::kInferred,
                                  At(weights->path, "", "whole weights, and no parent is named"));
  if (configured) kind.evidence.push_back(At("config.json", "", "the configuration of a model"));
}

}  // namespace hearth::inspector

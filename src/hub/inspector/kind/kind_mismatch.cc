// Where a repository contradicts itself, beyond what the rules of single kinds notice.
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/safetensors/safetensors.h"
#include "hub/inspector/card/card_task.h"
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

constexpr size_t kNamed = 5;  // files or tensors that an alarm names

void WeightsInDataset(const Survey& survey, Classification* result) {
  if (survey.type() != "dataset") return;
  std::vector<Evidence> evidence;
  for (const WeightFile& file : survey.weights()) {
    bool model = file.verified && !file.tensors.empty();
    if (model && evidence.size() < kNamed)
      evidence.push_back(At(file.path, "tensor " + file.tensors[0].name, "weights of a model"));
  }
  if (evidence.empty()) return;
  result
      ->Warn("weights_in_dataset", Level::kProved,
             "This is kept as a data set, and holds weights of a model.")
      .evidence = std::move(evidence);
}

void DataInModel(const Survey& survey, Classification* result) {
  const KindFinding* dataset = result->Find("dataset");
  if (survey.type() != "model" || dataset == nullptr) return;
  result->Warn("data_in_model", Level::kProved, "This is kept as a model, and holds data only.")
      .evidence = dataset->evidence;
}

void SpaceInModel(const Survey& survey, Classification* result) {
  const KindFinding* space = result->Find("space");
  if (survey.type().empty() || survey.type() == "space" || space == nullptr) return;
  result
      ->Warn("app_elsewhere", Level::kProved,
             "Its card is that of a Space, but it is kept as a " + survey.type() + ".")
      .evidence = space->evidence;
}

void UnreadableWeights(const Survey& survey, Classification* result) {
  std::vector<Evidence> evidence;
  for (const WeightFile& file : survey.weights()) {
    bool names_a_format = file.format == WeightFormat::kSafetensors ||
                          file.format == WeightFormat::kGguf || file.format == WeightFormat::kOnnx;
    if (!file.verified && names_a_format && evidence.size() < kNamed)
      evidence.push_back(At(file.path, "", file.problem));
  }
  if (evidence.empty()) return;
  result
      ->Warn("weights_unreadable", Level::kProved, "Files of weights are not what their names say.")
      .evidence = std::move(evidence);
}

void MissingShards(const Survey& survey, Classification* result) {
  std::string path = "model.safetensors.index.json";
  std::optional<std::string> text = survey.ReadText(path);
  if (!text) return;
  std::vector<Evidence> evidence;
  try {
    for (const std::string& file : ParseSafetensorsIndex(*text).files) {
      if (!survey.Has(file) && evidence.size() < kNamed)
        evidence.push_back(At(path, "", "names " + file));
    }
  } catch (const Error& error) {
    evidence.push_back(At(path, "", error.message()));
  }
  if (evidence.empty()) return;
  result->Warn("shards_missing", Level::kProved, "Parts of the weights are not in the repository.")
      .evidence = std::move(evidence);
}

void ConfigWithoutWeights(const Survey& survey, Classification* result) {
  bool model = survey.type() == "model" || survey.type().empty();
  bool configured = survey.config().Find("architectures") != nullptr;
  if (!model || !configured || !survey.weights().empty() || result->Is("tokenizer") ||
      result->Is("space"))
    return;
  result
      ->Warn("config_without_weights", Level::kProved,
             "There is the configuration of a model, and no weights.")
      .evidence = {At("config.json", "/architectures/0", "a model is described")};
}

void WeightsWithoutConfig(const Survey& survey, Classification* result) {
  const char* path = "model.safetensors";
  bool model = survey.type() == "model" || survey.type().empty();
  bool sole = model && survey.Has(path) && !survey.Has("config.json");
  if (!sole || result->Is("adapter") || result->Is("pipeline") || result->Is("embedding")) return;
  std::string library = CardText(survey.card().data, "library_name");
  if (!library.empty() && library != "transformers") return;
  result
      ->Warn("weights_without_config", Level::kProved,
             "There are weights, and no config.json that says how to run them.")
      .evidence = {At(path, "", "weights")};
}

void TaskConflict(const Survey& survey, Classification* result) {
  if (survey.type() == "dataset" || survey.type() == "space") return;
  TaskCheck check = CheckTask(CardText(survey.card().data, "pipeline_tag"), survey.config());
  if (!check.conflict) return;
  result
      ->Warn("task", Level::kDeclared,
             "The card says " + check.declared + ", config.json has " + check.architecture + ".")
      .evidence = {OnCard(survey, "pipeline_tag", check.declared),
                   At("config.json", "/architectures/0", check.architecture)};
}

// A tag or a library that says which format to expect.
void FormatTags(const Survey& survey, Classification* result) {
  if (survey.weights().empty() || survey.type() == "dataset" || survey.type() == "space") return;
  struct Claim {
    const char* tag;
    WeightFormat format;
  };
  for (const Claim& claim : {Claim{"gguf", WeightFormat::kGguf}, Claim{"onnx", WeightFormat::kOnnx},
                             Claim{"safetensors", WeightFormat::kSafetensors}}) {
    if (!survey.HasTag(claim.tag)) continue;
    bool there = std::any_of(survey.weights().begin(), survey.weights().end(),
                             [&](const WeightFile& file) { return file.format == claim.format; });
    if (there) continue;
    result
        ->Warn("format_tag", Level::kProved,
               std::string("The card is tagged ") + claim.tag + ", and no such file is here.")
        .evidence = {OnCard(survey, "tags", claim.tag)};
  }
}

void RelationOfBase(const Survey& survey, Classification* result) {
  const KindFinding* adapter = result->Find("adapter");
  if (adapter == nullptr) return;
  const Json* own = adapter->facts.Find("base_model_name_or_path");
  std::vector<std::string> card = CardList(survey.card().data, "base_model");
  if (own == nullptr || own->AsString() == nullptr || card.empty()) return;
  // Paths of the machine that trained it say nothing.
  if (!IsRepoId(*own->AsString(), false)) return;
  bool agrees = std::any_of(card.begin(), card.end(), [&](const std::string& id) {
    return AsciiEqualsIgnoreCase(id, *own->AsString());
  });
  if (agrees) return;
  result
      ->Warn("base_model", Level::kDeclared,
             "The card names " + card[0] + " as base model, adapter_config.json " +
                 *own->AsString() + ".")
      .evidence = {OnCard(survey, "base_model", card[0]),
                   At("adapter_config.json", "/base_model_name_or_path", *own->AsString())};
}

}  // namespace

void FindMismatch(const Survey& survey, Classification* result) {
  WeightsInDataset(survey, result);
  DataInModel(survey, result);
  SpaceInModel(survey, result);
  UnreadableWeights(survey, result);
  MissingShards(survey, result);
  ConfigWithoutWeights(survey, result);
  WeightsWithoutConfig(survey, result);
  TaskConflict(survey, result);
  FormatTags(survey, result);
  RelationOfBase(survey, result);
}

}  // namespace hearth::inspector

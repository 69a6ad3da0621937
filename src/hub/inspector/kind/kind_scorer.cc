// Classifiers, rerankers and reward models: a head on top that gives one number per label. One
// number alone is a score; whether it ranks documents or judges answers, only the author says.
#include <algorithm>

#include "base/bytes.h"
#include "hub/inspector/kind/kind_rule.h"
#include "hub/inspector/quantity_text.h"

namespace hearth::inspector {
namespace {

constexpr std::string_view kEndings[] = {"ForSequenceClassification",
                                         "ForImageClassification",
                                         "ForAudioClassification",
                                         "ForTokenClassification",
                                         "ForVideoClassification",
                                         "ForRewardModel",
                                         "RewardModel"};
// Names of the last layer, in the architectures that have such a head.
constexpr std::string_view kHeadTensors[] = {
    "classifier.weight",     "score.weight",           "classifier.out_proj.weight",
    "classifier.out.weight", "logits_proj.weight",     "classification_head.out_proj.weight",
    "classifier.3.weight",   "classifier.1.weight",    "sequence_summary.summary.weight",
    "v_head.weight",         "reward_head.weight",     "value_head.weight",
    "rm_head.weight",        "regression_layer.weight"};

struct Head {
  std::string file;
  std::string tensor;
  uint64_t rows = 0;
};

// The last layer of the head: the first of kHeadTensors that a file has.
Head FindHead(const Survey& survey) {
  for (std::string_view name : kHeadTensors) {
    for (const WeightFile& file : survey.weights()) {
      if (!file.verified) continue;
      for (const InspectedTensor& tensor : file.tensors) {
        bool named =
            tensor.name == name || (tensor.name.ends_with(name) &&
                                    tensor.name[tensor.name.size() - name.size() - 1] == '.');
        if (named && tensor.shape.size() >= 1 && !IsAdapterTensor(tensor.name))
          return {file.path, tensor.name, tensor.shape[0]};
      }
    }
  }
  return {};
}

// As transformers counts them; two when nothing is said.
uint64_t LabelCount(const Json& config) {
  if (const Json* labels = config.Find("id2label"); labels != nullptr && labels->is_object())
    return labels->size();
  if (const Json* count = config.Find("num_labels")) return count->AsUint().value_or(2);
  return 2;
}

Json Labels(const Json& config) {
  Json names = Json::Arr();
  const Json* labels = config.Find("id2label");
  if (labels == nullptr || !labels->is_object()) return names;
  for (const auto& [id, name] : *labels->AsObject()) {
    if (names.size() < 100 && name.is_string()) names.Push(name);
  }
  return names;
}

// What the author calls a model with one score.
void NameScore(const Survey& survey, Classification* result) {
  const Json& config = survey.config();
  std::string task = CardText(survey.card().data, "pipeline_tag");
  bool cross = survey.HasTag("cross-encoder") || survey.HasTag("reranker") ||
               task == "text-ranking" || survey.HasTag("text-ranking");
  if (cross) {
    result->Add("reranker", Level::kDeclared,
                OnCard(survey, task == "text-ranking" ? "pipeline_tag" : "tags",
                       "the card calls it a reranker"));
  }
  const Json* own = config.Find("sentence_transformers");
  bool wrote = config.Find("sbert_ce_default_activation_function") != nullptr ||
               (own != nullptr && own->Find("activation_fn") != nullptr);
  if (wrote) {
    result->Add("reranker", Level::kDeclared,
                At("config.json", "/sentence_transformers", "written by a CrossEncoder"));
  }
  if (survey.HasTag("reward-trainer") || survey.HasTag("reward-model") ||
      survey.HasTag("reward_model")) {
    result->Add("reward", Level::kDeclared,
                OnCard(survey, "tags", "the card calls it a reward model"));
  }
}

}  // namespace

void FindScorer(const Survey& survey, Classification* result) {
  if (survey.type() == "space" || survey.type() == "dataset") return;
  std::vector<std::string> architectures = CardList(survey.config(), "architectures");
  std::string architecture = architectures.empty() ? "" : architectures[0];
  bool classifies =
      std::any_of(std::begin(kEndings), std::end(kEndings),
                  [&](std::string_view ending) { return architecture.ends_with(ending); });
  NameScore(survey, result);
  if (!classifies) return;
  bool reward = architecture.ends_with("RewardModel");
  uint64_t labels = reward ? 1 : LabelCount(survey.config());
  Evidence declared = At("config.json", "/architectures/0", architecture);
  Head head = FindHead(survey);
  bool agrees = head.rows == labels && !head.tensor.empty();
  const char* kind = labels == 1 ? "scorer" : "classifier";
  Level level = agrees && !reward ? Level::kProved : Level::kDeclared;
  KindFinding& found = result->Add(kind, level, declared);
  found.facts.Set("labels", labels);
  if (labels > 1) found.facts.Set("names", Labels(survey.config()));
  if (reward) result->Add("reward", Level::kDeclared, declared);
  if (head.tensor.empty()) return;
  Evidence shape = At(head.file, "tensor " + head.tensor,
                      "the last layer gives " + CountOf(head.rows, "number"));
  if (agrees) {
    found.evidence.push_back(shape);
  } else if (!reward) {
    result
        ->Warn("labels", Level::kProved,
               "config.json has " + CountOf(labels, "label") + ", the last layer " +
                   CountOf(head.rows, "number") + ".")
        .evidence = {declared, shape};
  }
}

}  // namespace hearth::inspector

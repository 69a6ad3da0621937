#include "runtime/tasks/media_classification.h"

#include "runtime/tasks/label_scores.h"

namespace hearth::runtime {
namespace {

constexpr size_t kUsualTop = 5;

}  // namespace

std::optional<std::string> MediaClassifierRefusal(const Model& model, ModelInput input,
                                                  std::string_view task) {
  if (auto refusal = NeedsInput(model, input, task)) return refusal;
  if (model.head() == Head::kSequenceClassification) return std::nullopt;
  return "this model has no labels, which " + std::string(task) + " needs";
}

Json ClassifyMedia(Runner& runner, const Json& inputs, const Json& parameters,
                   const std::stop_token& left) {
  bool is_list = false;
  std::vector<EncoderInput> files = EncodeFiles(runner.model(), inputs, &is_list);
  Logits logits = RunHead(runner, Head::kSequenceClassification, files, left);
  LabelScores labels(runner.model(), parameters, logits.columns, kUsualTop);
  Json answers = Json::Arr();
  for (auto& scores : logits.values) answers.Push(labels.Answer(std::move(scores)));
  return is_list ? answers : answers.AsArray()->front();
}

}  // namespace hearth::runtime

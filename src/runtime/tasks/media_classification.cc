// image-classification and audio-classification: labels of a picture or a sound with scores. All
// but the files is one.
#include "runtime/tasks/label_scores.h"
#include "runtime/tasks/media_inputs.h"

namespace hearth::runtime {
namespace {

constexpr size_t kUsualTop = 5;  // as transformers' pipelines give

std::optional<std::string> Refusal(const Model& model, ModelInput input, std::string_view task) {
  if (auto refusal = NeedsInput(model, input, task)) return refusal;
  if (model.head() == Head::kSequenceClassification) return std::nullopt;
  return "this model has no labels, which " + std::string(task) + " needs";
}

// Labels of a file, or of each of a list.
Json Classify(Runner& runner, const Json& inputs, const Json& parameters,
              const std::stop_token& left) {
  bool is_list = false;
  std::vector<EncoderInput> files = EncodeFiles(runner.model(), inputs, &is_list);
  Logits logits = RunHead(runner, Head::kSequenceClassification, files, left);
  LabelScores labels(runner.model(), parameters, logits.columns, kUsualTop);
  Json answers = Json::Arr();
  for (auto& scores : logits.values) answers.Push(labels.Answer(std::move(scores)));
  return is_list ? answers : answers.AsArray()->front();
}

constexpr std::string_view kImages = "image-classification", kSounds = "audio-classification";

}  // namespace

const Task& ImageClassificationTask() {
  static constexpr Task kTask{
      kImages, "labels of a picture with scores",
      [](const Model& model) { return Refusal(model, ModelInput::kImage, kImages); }, Classify,
      TaskInput::kImage};
  return kTask;
}

const Task& AudioClassificationTask() {
  static constexpr Task kTask{
      kSounds, "labels of a sound with scores",
      [](const Model& model) { return Refusal(model, ModelInput::kSound, kSounds); }, Classify,
      TaskInput::kSound};
  return kTask;
}

}  // namespace hearth::runtime

// text-classification: which label fits the text, with scores.
#include "runtime/tasks/inputs.h"
#include "runtime/tasks/label_scores.h"

namespace hearth::runtime {
namespace {

// One list of labels per text, also for a single text: the shape that clients of the Inference API
// read.
Json Run(Runner& runner, const Json& inputs, const Json& parameters, const std::stop_token& left) {
  bool is_list = false;
  std::vector<TextPair> texts = ReadTexts(inputs, &is_list);
  std::vector<EncoderInput> encoded = EncodeInputs(runner, texts, parameters);
  Logits logits = RunHead(runner, Head::kSequenceClassification, encoded, left);
  LabelScores labels(runner.model(), parameters, logits.columns, logits.columns);
  Json answers = Json::Arr();
  for (auto& scores : logits.values) answers.Push(labels.Answer(std::move(scores)));
  return answers;
}

std::optional<std::string> Refusal(const Model& model) {
  return NeedsHead(model, Head::kSequenceClassification, "text-classification");
}

}  // namespace

const Task& TextClassificationTask() {
  static constexpr Task kTask{"text-classification", "labels of a text with scores", Refusal, Run,
                              TaskInput::kPair};
  return kTask;
}

}  // namespace hearth::runtime

// text-classification: which label fits the text, with scores.
#include <algorithm>

#include "runtime/tasks/inputs.h"

namespace hearth::runtime {
namespace {

// As transformers decides it when nobody says: one label or several at once are judged for
// themselves.
std::string DefaultFunction(const Model& model, uint32_t labels) {
  std::string problem = model.config().Text({"problem_type"}, "");
  if (problem == "multi_label_classification" || labels == 1) return "sigmoid";
  if (problem == "regression") return "none";
  return "softmax";
}

Json Answer(const Model& model, std::vector<float> scores, const std::string& function,
            size_t top) {
  if (function == "softmax") Softmax(scores);
  if (function == "sigmoid") Sigmoid(scores);
  std::vector<size_t> order = BestFirst(scores);
  Json answer = Json::Arr();
  for (size_t i = 0; i < std::min(top, order.size()); ++i) {
    answer.Push(Json::Obj({{"label", model.Label(order[i])}, {"score", double{scores[order[i]]}}}));
  }
  return answer;
}

// One list of labels per text, also for a single text: the shape that clients of the Inference API
// read.
Json Run(Runner& runner, const Json& inputs, const Json& parameters, const std::stop_token& left) {
  bool is_list = false;
  std::vector<TextPair> texts = ReadTexts(inputs, &is_list);
  std::vector<EncoderInput> encoded = EncodeInputs(runner, texts, parameters);
  Logits logits = RunHead(runner, Head::kSequenceClassification, encoded, left);
  auto function = ReadName(parameters, "function_to_apply");
  std::string name = function.value_or(DefaultFunction(runner.model(), logits.columns));
  if (name != "softmax" && name != "sigmoid" && name != "none") {
    Refuse("`function_to_apply` must be \"softmax\", \"sigmoid\" or \"none\"");
  }
  size_t top = ReadCount(parameters, "top_k", 1u << 20).value_or(logits.columns);
  Json answers = Json::Arr();
  for (auto& scores : logits.values) {
    answers.Push(Answer(runner.model(), std::move(scores), name, top));
  }
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

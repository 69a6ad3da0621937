#include "runtime/tasks/label_scores.h"

#include <algorithm>

namespace hearth::runtime {
namespace {

// As transformers decides it when nobody says: one label or several at once are judged for
// themselves; its pipeline for sounds knows no case of one label.
std::string DefaultFunction(const Model& model, uint32_t labels) {
  std::string problem = model.config().Text({"problem_type"}, "");
  bool is_one = labels == 1 && model.shape().input != ModelInput::kSound;
  if (problem == "multi_label_classification" || is_one) return "sigmoid";
  if (problem == "regression") return "none";
  return "softmax";
}

}  // namespace

LabelScores::LabelScores(const Model& model, const Json& parameters, uint32_t labels,
                         size_t usual_top)
    : model_(model) {
  function_ = ReadName(parameters, "function_to_apply").value_or(DefaultFunction(model, labels));
  if (function_ != "softmax" && function_ != "sigmoid" && function_ != "none") {
    Refuse("`function_to_apply` must be \"softmax\", \"sigmoid\" or \"none\"");
  }
  top_ = ReadCount(parameters, "top_k", 1u << 20).value_or(usual_top);
}

Json LabelScores::Answer(std::vector<float> scores) const {
  if (function_ == "softmax") Softmax(scores);
  if (function_ == "sigmoid") Sigmoid(scores);
  std::vector<size_t> order = BestFirst(scores);
  Json answer = Json::Arr();
  for (size_t i = 0; i < std::min(top_, order.size()); ++i) {
    answer.Push(Json::Obj({{"label", model_.Label(static_cast<uint32_t>(order[i]))},
                           {"score", double{scores[order[i]]}}}));
  }
  return answer;
}

}  // namespace hearth::runtime

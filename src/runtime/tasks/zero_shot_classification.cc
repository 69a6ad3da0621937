// zero-shot-classification: labels that the model was never trained on, judged by entailment: does
// the text imply "This example is {label}."?
#include <algorithm>
#include <cctype>

#include "runtime/tasks/inputs.h"

namespace hearth::runtime {
namespace {

struct Relations {
  std::optional<uint32_t> entailment, contradiction;
};

Relations FindRelations(const Model& model) {
  Relations relations;
  const Json* labels = model.config().Find({"id2label"});
  if (labels == nullptr || labels->AsObject() == nullptr) return relations;
  for (uint32_t i = 0; i < labels->size(); ++i) {
    std::string label = model.Label(i);
    std::transform(label.begin(), label.end(), label.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (label.starts_with("entail")) relations.entailment = i;
    if (label.starts_with("contra")) relations.contradiction = i;
  }
  return relations;
}

std::optional<std::string> Refusal(const Model& model) {
  if (auto refusal = NeedsHead(model, Head::kSequenceClassification, "zero-shot-classification")) {
    return refusal;
  }
  if (FindRelations(model).entailment) return std::nullopt;
  return "zero-shot-classification needs a model trained for entailment: no label of this one "
         "begins with \"entail\"";
}

std::vector<std::string> ReadLabels(const Json& parameters) {
  const Json* value = parameters.Find("candidate_labels");
  if (value == nullptr || value->is_null()) Refuse("`candidate_labels` is missing");
  std::vector<std::string> labels;
  if (const std::string* text = value->AsString()) {
    // "a, b, c"
    for (size_t at = 0; at <= text->size();) {
      size_t end = std::min(text->find(',', at), text->size());
      std::string label = text->substr(at, end - at);
      label.erase(0, label.find_first_not_of(' '));
      label.erase(label.find_last_not_of(' ') + 1);
      if (!label.empty()) labels.push_back(label);
      at = end + 1;
    }
  } else if (value->AsArray() != nullptr) {
    for (const Json& item : *value->AsArray()) {
      labels.push_back(ReadText(item, "a candidate label"));
    }
  } else {
    Refuse("`candidate_labels` must be a list of strings");
  }
  if (labels.empty()) Refuse("`candidate_labels` is empty");
  return labels;
}

std::string Hypothesis(const std::string& pattern, const std::string& label) {
  size_t at = pattern.find("{}");
  if (at == std::string::npos) {
    Refuse("`hypothesis_template` must contain {} where the label belongs");
  }
  return pattern.substr(0, at) + label + pattern.substr(at + 2);
}

Json Judge(Runner& runner, const std::string& text, const std::vector<std::string>& labels,
           const Json& parameters, const std::stop_token& left) {
  Relations relations = FindRelations(runner.model());
  std::string pattern = ReadName(parameters, "hypothesis_template").value_or("This example is {}.");
  std::vector<TextPair> pairs;
  for (const std::string& label : labels) pairs.push_back({text, Hypothesis(pattern, label)});
  std::vector<EncoderInput> encoded = EncodeInputs(runner, pairs, parameters);
  Logits logits = RunHead(runner, Head::kSequenceClassification, encoded, left);
  bool multi = ReadFlag(parameters, "multi_label").value_or(false) || labels.size() == 1;
  std::vector<float> scores;
  for (const std::vector<float>& row : logits.values) {
    float entailment = row[*relations.entailment];
    if (!multi) {
      scores.push_back(entailment);
      continue;
    }
    uint32_t against =
        relations.contradiction.value_or(*relations.entailment == 0 ? logits.columns - 1 : 0);
    float pair[] = {row[against], entailment};
    Softmax(pair);
    scores.push_back(pair[1]);
  }
  if (!multi) Softmax(scores);
  std::vector<size_t> order = BestFirst(scores);
  Json answer = Json::Arr();
  for (size_t i : order) {
    answer.Push(Json::Obj({{"label", labels[i]}, {"score", double{scores[i]}}}));
  }
  return answer;
}

Json Run(Runner& runner, const Json& inputs, const Json& parameters, const std::stop_token& left) {
  std::vector<std::string> labels = ReadLabels(parameters);
  bool is_list = false;
  Json answers = Json::Arr();
  for (const TextPair& text : ReadTexts(inputs, &is_list)) {
    answers.Push(Judge(runner, text.text, labels, parameters, left));
  }
  return is_list ? answers : answers.AsArray()->front();
}

}  // namespace

const Task& ZeroShotClassificationTask() {
  static constexpr Task kTask{"zero-shot-classification",
                              "labels of your own choice for a text, by entailment", Refusal, Run};
  return kTask;
}

}  // namespace hearth::runtime

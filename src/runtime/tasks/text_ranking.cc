// text-ranking: how well each text answers a query, by a cross-encoder that reads both together.
#include <algorithm>

#include "runtime/tasks/inputs.h"

namespace hearth::runtime {
namespace {

std::optional<std::string> Refusal(const Model& model) {
  if (auto refusal = NeedsHead(model, Head::kSequenceClassification, "text-ranking")) {
    return refusal;
  }
  const Json* labels = model.config().Find({"id2label"});
  size_t count = labels != nullptr ? labels->size() : model.config().Count({"num_labels"}, 2u);
  if (count == 1) return std::nullopt;
  return "text-ranking needs a cross-encoder with a single label; this model has " +
         std::to_string(count);
}

// inputs: {"query", "texts"}; best first. Scores are between 0 and 1 unless raw ones are wanted.
Json Run(Runner& runner, const Json& inputs, const Json& parameters, const std::stop_token& left) {
  const Json *query = inputs.Find("query"), *list = inputs.Find("texts");
  if (query == nullptr || list == nullptr || list->AsArray() == nullptr) {
    Refuse("inputs must hold \"query\" and a list \"texts\"");
  }
  std::vector<TextPair> pairs;
  for (const Json& text : *list->AsArray()) {
    pairs.push_back({ReadText(*query, "query"), ReadText(text, "a text")});
  }
  if (pairs.empty()) Refuse("\"texts\" is empty");
  std::vector<EncoderInput> encoded = EncodeInputs(runner, pairs, parameters);
  Logits logits = RunHead(runner, Head::kSequenceClassification, encoded, left);
  std::vector<float> scores;
  for (const std::vector<float>& row : logits.values) scores.push_back(row.front());
  if (!ReadFlag(parameters, "raw_scores").value_or(false)) Sigmoid(scores);
  std::vector<size_t> order = BestFirst(scores);
  bool with_text = ReadFlag(parameters, "return_text").value_or(false);
  Json answer = Json::Arr();
  for (size_t i : order) {
    Json item = Json::Obj({{"index", i}, {"score", double{scores[i]}}});
    if (with_text) item.Set("text", *pairs[i].pair);
    answer.Push(std::move(item));
  }
  return answer;
}

}  // namespace

const Task& TextRankingTask() {
  static constexpr Task kTask{"text-ranking", "texts in the order in which they answer a query",
                              Refusal, Run, TaskInput::kObject};
  return kTask;
}

}  // namespace hearth::runtime

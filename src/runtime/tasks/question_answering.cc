// question-answering: the part of a text that answers a question.
//
// Long contexts are read in windows that overlap; a span's score is the product of the
// probabilities of its start and end among all tokens of its window, as in transformers 4's
// pipeline.
#include <algorithm>
#include <cmath>
#include <map>

#include "runtime/tasks/inputs.h"

namespace hearth::runtime {
namespace {

std::optional<std::string> Refusal(const Model& model) {
  return NeedsHead(model, Head::kQuestionAnswering, "question-answering");
}

struct Span {
  size_t begin = 0, end = 0;  // characters of the context
  float score = 0;
};

struct Limits {
  size_t top, answer_tokens;
  bool may_be_impossible;
};

// The best spans of one window. `null_score` sinks to the least probability of "no answer".
void AddSpans(const tokenizers::Encoding& window, const std::vector<float>& logits,
              const Limits& limits, std::vector<Span>* spans, float* null_score) {
  size_t tokens = window.size();
  std::vector<float> start(tokens), end(tokens);
  std::vector<std::optional<size_t>> sequences = window.SequenceIds();
  for (size_t i = 0; i < tokens; ++i) {
    bool is_context = sequences[i] == std::optional<size_t>(1) && !window.special_tokens_mask[i];
    bool counts = is_context || i == 0;  // the first token stands for "no answer"
    start[i] = counts ? logits[2 * i] : -10000.0f;
    end[i] = counts ? logits[2 * i + 1] : -10000.0f;
  }
  Softmax(start);
  Softmax(end);
  *null_score = std::min(*null_score, start[0] * end[0]);
  for (size_t i = 1; i < tokens; ++i) {
    if (sequences[i] != std::optional<size_t>(1)) continue;
    for (size_t j = i; j < std::min(tokens, i + limits.answer_tokens); ++j) {
      if (sequences[j] != std::optional<size_t>(1)) break;
      spans->push_back({window.offsets[i].begin, window.offsets[j].end, start[i] * end[j]});
    }
  }
  size_t keep = std::min(spans->size(), std::max<size_t>(limits.top * 8, 64));
  std::partial_sort(spans->begin(), spans->begin() + keep, spans->end(),
                    [](const Span& a, const Span& b) { return a.score > b.score; });
  spans->resize(keep);
}

Json Run(Runner& runner, const Json& inputs, const Json& parameters, const std::stop_token& left) {
  const Json *question = inputs.Find("question"), *context = inputs.Find("context");
  if (question == nullptr || context == nullptr) {
    Refuse("inputs must hold \"question\" and \"context\"");
  }
  std::string asked = ReadText(*question, "question"), text = ReadText(*context, "context");
  if (text.empty()) Refuse("`context` cannot be empty");
  Limits limits;
  limits.top = ReadCount(parameters, "top_k", 1000).value_or(1);
  limits.answer_tokens = ReadCount(parameters, "max_answer_len", 4096).value_or(15);
  limits.may_be_impossible = ReadFlag(parameters, "handle_impossible_answer").value_or(false);
  if (limits.top == 0 || limits.answer_tokens == 0)
    Refuse("`top_k` and `max_answer_len` must be 1 or more");
  tokenizers::Truncation truncation;
  uint32_t most = runner.model().shape().max_tokens;
  truncation.max_length =
      std::min<uint64_t>(ReadCount(parameters, "max_seq_len", most).value_or(384), most);
  truncation.stride = ReadCount(parameters, "doc_stride", most)
                          .value_or(std::min<size_t>(truncation.max_length / 2, 128));
  truncation.strategy = tokenizers::TruncationStrategy::kOnlySecond;
  tokenizers::EncodeOptions options{.offsets = tokenizers::OffsetUnit::kCharacters,
                                    .truncation = &truncation};
  tokenizers::Encoding first;
  try {
    first = runner.model().tokenizer().Encode({asked, text}, options);
  } catch (const Error& error) {
    Refuse("the question leaves no room for the context: " + std::string(error.what()));
  }
  std::vector<tokenizers::Encoding> windows = {first};
  for (const auto& rest : first.overflowing) windows.push_back(rest);
  std::vector<EncoderInput> encoded;
  auto adapter = ReadAdapter(runner, parameters);
  for (const auto& window : windows) encoded.push_back(ToInput(window, adapter));
  Logits logits = RunHead(runner, Head::kQuestionAnswering, encoded, left);
  std::vector<Span> spans;
  float null_score = 1000000;
  for (size_t i = 0; i < windows.size(); ++i) {
    AddSpans(windows[i], logits.values[i], limits, &spans, &null_score);
  }
  if (limits.may_be_impossible) spans.push_back({0, 0, null_score});
  std::stable_sort(spans.begin(), spans.end(),
                   [](const Span& a, const Span& b) { return a.score > b.score; });
  CharacterText characters(text);
  Json answers = Json::Arr();
  std::map<std::pair<size_t, size_t>, bool> seen;
  for (const Span& span : spans) {
    if (answers.size() == limits.top) break;
    if (!seen.emplace(std::pair(span.begin, span.end), true).second) continue;
    answers.Push(Json::Obj({{"answer", characters.Part(span.begin, span.end)},
                            {"score", double{span.score}},
                            {"start", span.begin},
                            {"end", span.end}}));
  }
  return limits.top == 1 && answers.size() == 1 ? answers.AsArray()->front() : answers;
}

}  // namespace

const Task& QuestionAnsweringTask() {
  static constexpr Task kTask{"question-answering", "the part of a text that answers a question",
                              Refusal, Run, TaskInput::kObject};
  return kTask;
}

}  // namespace hearth::runtime

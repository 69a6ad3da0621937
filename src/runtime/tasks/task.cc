#include "runtime/tasks/task.h"

#include "base/error.h"

namespace hearth::runtime {

std::vector<const Task*> Tasks() {
  std::vector<const Task*> all;
#define HEARTH_TASK(Name) all.push_back(&Name##Task());
#include "runtime/tasks/tasks.inc"
#undef HEARTH_TASK
  return all;
}

const Task* FindTask(std::string_view name) {
  if (name == "ner") name = "token-classification";
  if (name == "sentiment-analysis") name = "text-classification";
  if (name == "rerank") name = "text-ranking";
  for (const Task* task : Tasks()) {
    if (task->name == name) return task;
  }
  return nullptr;
}

bool Embeds(const Task& task, const Model& model) {
  return task.embed != nullptr && model.sentence_modules() != nullptr;
}

Json RunTask(Runner& runner, const Task& task, const Json& inputs, const Json& parameters,
             const std::stop_token& left) {
  if (auto refusal = task.refusal(runner.model())) throw Error(Code::kUnprocessable, *refusal);
  return task.run(runner, inputs, parameters, left);
}

const Task* DefaultTask(const Model& model) {
  switch (model.shape().input) {
    case ModelInput::kText:
      break;
    case ModelInput::kImage:
      return FindTask(model.head() == Head::kNone ? "image-feature-extraction"
                                                  : "image-classification");
    case ModelInput::kSound:
      return FindTask("audio-classification");
  }
  // Many sentence encoders still name the head that they were trained with.
  if (model.sentence_modules() != nullptr) return FindTask("feature-extraction");
  switch (model.head()) {
    case Head::kCausalLm:
      return FindTask("text-generation");
    case Head::kMaskedLm:
      return FindTask("fill-mask");
    case Head::kTokenClassification:
      return FindTask("token-classification");
    case Head::kQuestionAnswering:
      return FindTask("question-answering");
    case Head::kSequenceClassification:
      return FindTask(TextRankingTask().refusal(model) ? "text-classification" : "text-ranking");
    case Head::kStates:
    case Head::kNone:
      return FindTask("feature-extraction");
  }
  return nullptr;
}

}  // namespace hearth::runtime

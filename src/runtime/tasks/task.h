// What can be asked of a model: one file per task, one line in tasks.inc.
//
// A task says which models can do it and turns the "inputs" and "parameters" of the Inference API
// into its answer; shapes are those of Hugging Face's task specifications, which InferenceClient
// and
// @huggingface/inference read. Thread rule: run may be called from any number of threads.
// Errors: kUnprocessable for inputs and parameters that are wrong, naming them.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "runtime/runner.h"

namespace hearth::runtime {

// What one input of a task is; where people type inputs, this says how they are read.
enum class TaskInput : uint8_t {
  kText,    // a text
  kPair,    // a text, or an object with "text" and "text_pair"
  kObject,  // an object of several texts
  kImage,   // the bytes of a picture's file, in a string (tasks/media_inputs.h)
  kSound,   // the bytes of a sound's file
};

struct EmbeddingRequest;

struct Task {
  std::string_view name;         // "text-classification"
  std::string_view description;  // one line for people
  // nullopt: the model can; else why it cannot.
  std::optional<std::string> (*refusal)(const Model& model);
  // Long work ends early, with kUnavailable, when `left` is asked to stop.
  Json (*run)(Runner& runner, const Json& inputs, const Json& parameters,
              const std::stop_token& left);
  TaskInput input = TaskInput::kText;
  // Of a task that embeds texts: the same as `run`, for who does not wait for the vectors
  // (tasks/embeddings.h).
  EmbeddingRequest (*embed)(Runner& runner, const Json& inputs, const Json& parameters) = nullptr;
};

// Whether its inputs are the bytes of files.
inline bool TakesFile(const Task& task) {
  return task.input == TaskInput::kImage || task.input == TaskInput::kSound;
}

// Whether a request for it is nothing but texts to embed, a vector each.
bool Embeds(const Task& task, const Model& model);

std::vector<const Task*> Tasks();
const Task* FindTask(std::string_view name);
// Runs it; throws kUnprocessable with the reason where the model cannot do it.
Json RunTask(Runner& runner, const Task& task, const Json& inputs, const Json& parameters,
             const std::stop_token& left = {});
// The task that a model is for, when nobody says: by its head and its files.
const Task* DefaultTask(const Model& model);

#define HEARTH_TASK(Name) const Task& Name##Task();
#include "runtime/tasks/tasks.inc"
#undef HEARTH_TASK

}  // namespace hearth::runtime

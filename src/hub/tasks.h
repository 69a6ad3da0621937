// The tasks that models and data sets are sorted by (pipeline tags). Constant data; thread-safe.
#pragma once

#include <span>
#include <string_view>

namespace hearth::hub {

struct TaskEntry {
  std::string_view id;         // "text-generation"
  std::string_view label;      // "Text Generation"
  std::string_view group;      // nlp, audio, multimodal, cv, rl, tabular, other
  std::string_view libraries;  // comma-separated ids
  std::string_view summary;    // one sentence
};

std::span<const TaskEntry> KnownTasks();
const TaskEntry* FindTask(std::string_view id);  // nullptr when unknown

}  // namespace hearth::hub

// What commands that run a model have in common: which model, how precise, how many threads.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

#include "runtime/runner.h"

namespace hearth::cli {

struct ModelOptions {
  std::string model;
  std::string precision = "native";
  int threads = 0;
  uint64_t kv_megabytes = 1024;
  std::string cache_folder;  // "off": none; empty: the user's

  void AddTo(CLI::App* command);
  // A folder with config.json, or a .gguf file. Throws kNotFound saying what was looked for.
  std::unique_ptr<runtime::Runner> Load() const;
};

}  // namespace hearth::cli

// What commands that run a model have in common: which model, how precise, how many threads.
#pragma once

#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "client/hub_download.h"
#include "runtime/runner.h"

namespace hearth::cli {

// Where a model's files are: the folder or file that is named, or what its id means, fetched with a
// progress line. Errors: those of client::LocateModel.
std::filesystem::path LocateModel(const std::string& model, client::ModelParts parts);

// What --executor takes.
std::vector<std::string> ExecutorOptions();

struct ModelOptions {
  std::string model;  // a folder, a .gguf file or an id
  std::string executor = "cpu";
  std::string precision = "native";
  int threads = 0;
  uint64_t kv_megabytes = 1024;
  std::vector<std::string> adapters;  // NAME=FOLDER
  std::string cache_folder;           // "off": none; empty: the user's

  void AddTo(CLI::App* command);
  // The model with its adapters. Throws kNotFound saying what was looked for.
  std::unique_ptr<runtime::Runner> Load() const;
};

}  // namespace hearth::cli

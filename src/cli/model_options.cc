#include "cli/model_options.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "cli/progress.h"
#include "cli/terminal_text.h"

namespace hearth::cli {
namespace {

std::filesystem::path CacheFolder(const std::string& given) {
  if (given == "off") return {};
  if (!given.empty()) return given;
  const char* own = std::getenv("HEARTH_CACHE");
  if (own != nullptr && *own != '\0') return own == std::string_view("off") ? "" : own;
  // A relative path is to be taken for none (XDG base directories).
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return std::filesystem::path(cache) / "hearth";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::filesystem::path(home) / ".cache/hearth";
  return {};
}

}  // namespace

std::filesystem::path LocateModel(const std::string& model, client::ModelParts parts) {
  Progress progress("", 0, ProgressUnit::kBytes);
  size_t shown = 0;
  client::DownloadEvents events;
  events.progress = [&](const client::DownloadState& state) {
    if (state.number != shown) {
      std::string file = TerminalLine(state.file);
      progress.Relabel(
          file + " (" + std::to_string(state.number) + "/" + std::to_string(state.files) + ")",
          state.total_bytes);
      shown = state.number;
    }
    progress.Update(state.done_bytes);
  };
  events.note = [](const std::string& note) {
    std::fprintf(stderr, "hearth: %s\n", TerminalLine(note).c_str());
  };
  return client::LocateModel(model, parts, client::HubSettings::FromEnvironment(), events);
}

std::vector<std::string> ExecutorOptions() {
  auto names = tensor::ExecutorNames();
  return {names.begin(), names.end()};
}

void ModelOptions::AddTo(CLI::App* command) {
  command
      ->add_option("model", model,
                   "Folder of a model, a .gguf file, or an id on the hub of HF_ENDPOINT: "
                   "owner/name[@revision][:file.gguf]")
      ->required();
  command
      ->add_option("--precision", precision,
                   "How weights are computed with: native (as stored), fp32, bf16, int8, int4")
      ->check(CLI::IsMember({"native", "fp32", "bf16", "int8", "int4"}))
      ->capture_default_str();
  command
      ->add_option("--executor", executor,
                   "What computes: cpu, reference (slow, to compare with) or torch (libtorch, when "
                   "its plugin is installed)")
      ->check(CLI::IsMember(ExecutorOptions()))
      ->capture_default_str();
  command->add_option("--threads", threads, "0: one per core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_option("--kv-mb", kv_megabytes, "Memory for keys and values, at most")
      ->check(CLI::Range(16, 1 << 24))
      ->capture_default_str();
  command->add_option("--adapter", adapters,
                      "NAME=FOLDER of a LoRA adapter that requests may choose; several times");
  command->add_option("--cache-folder", cache_folder,
                      "Where packed weights and compiled tokenizers are kept for the next start; "
                      "off: nowhere. Default: $HEARTH_CACHE, else ~/.cache/hearth");
}

namespace {

void LoadAdapters(runtime::Runner& runner, const std::vector<std::string>& adapters) {
  for (const std::string& each : adapters) {
    size_t at = each.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == each.size()) {
      throw Error(Code::kInvalidArgument, "--adapter takes NAME=FOLDER, not \"" + each + "\"");
    }
    runner.adapters().Load(each.substr(0, at), each.substr(at + 1));
  }
}

}  // namespace

std::unique_ptr<runtime::Runner> ModelOptions::Load() const {
  std::filesystem::path path = LocateModel(model, client::ModelParts::kAll);
  runtime::LoadOptions load;
  load.executor = executor;
  load.threads = threads;
  load.cache_folder = CacheFolder(cache_folder);
  load.precision = runtime::ParsePrecision(precision);
  runtime::EngineOptions engine;
  engine.threads = threads;
  engine.kv_bytes = kv_megabytes << 20;
  // fp32 is the reference: nothing is rounded then.
  if (load.precision == tensor::Precision::kF32) engine.kv_type = tensor::KvType::kF32;
  auto runner = std::make_unique<runtime::Runner>(runtime::Model::Load(path, load), engine);
  LoadAdapters(*runner, adapters);
  return runner;
}

}  // namespace hearth::cli

#include "cli/model_options.h"

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/error.h"

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

void ModelOptions::AddTo(CLI::App* command) {
  command->add_option("model", model, "Folder of a model, or a .gguf file")->required();
  command
      ->add_option("--precision", precision,
                   "How weights are computed with: native (as stored), fp32, bf16, int8, int4")
      ->check(CLI::IsMember({"native", "fp32", "bf16", "int8", "int4"}))
      ->capture_default_str();
  command->add_option("--threads", threads, "0: one per core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_option("--kv-mb", kv_megabytes, "Memory for keys and values, at most")
      ->check(CLI::Range(16, 1 << 24))
      ->capture_default_str();
  command->add_option("--cache-folder", cache_folder,
                      "Where packed weights and compiled tokenizers are kept for the next start; "
                      "off: nowhere. Default: $HEARTH_CACHE, else ~/.cache/hearth");
}

std::unique_ptr<runtime::Runner> ModelOptions::Load() const {
  if (!std::filesystem::exists(model)) {
    throw Error(Code::kNotFound,
                model +
                    " is neither a folder nor a file: give the folder of a model "
                    "(config.json, *.safetensors, tokenizer.json) or a .gguf file");
  }
  runtime::LoadOptions load;
  load.threads = threads;
  load.cache_folder = CacheFolder(cache_folder);
  load.precision = runtime::ParsePrecision(precision);
  runtime::EngineOptions engine;
  engine.threads = threads;
  engine.kv_bytes = kv_megabytes << 20;
  return std::make_unique<runtime::Runner>(runtime::Model::Load(model, load), engine);
}

}  // namespace hearth::cli

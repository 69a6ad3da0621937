#include "cli/model_options.h"

#include <filesystem>

#include "base/error.h"

namespace hearth::cli {

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
  command->add_option("--adapter", adapters,
                      "NAME=FOLDER of a LoRA adapter that requests may choose; several times");
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
  if (!std::filesystem::exists(model)) {
    throw Error(Code::kNotFound,
                model +
                    " is neither a folder nor a file: give the folder of a model "
                    "(config.json, *.safetensors, tokenizer.json) or a .gguf file");
  }
  runtime::LoadOptions load;
  load.precision = runtime::ParsePrecision(precision);
  runtime::EngineOptions engine;
  engine.threads = threads;
  engine.kv_bytes = kv_megabytes << 20;
  // fp32 is the reference: nothing is rounded then.
  if (load.precision == tensor::Precision::kF32) engine.kv_type = tensor::KvType::kF32;
  auto runner = std::make_unique<runtime::Runner>(runtime::Model::Load(model, load), engine);
  LoadAdapters(*runner, adapters);
  return runner;
}

}  // namespace hearth::cli

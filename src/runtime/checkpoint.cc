#include "runtime/checkpoint.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "formats/safetensors/safetensors_sharded.h"
#include "runtime/architecture.h"
#include "runtime/checkpoint_sources.h"

namespace hearth::runtime {
namespace {

namespace fs = std::filesystem;

// config.json larger than this is no configuration.
constexpr uint64_t kMaxConfigBytes = 16u << 20;

std::vector<fs::path> FilesEndingIn(const fs::path& folder, std::string_view end) {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().ends_with(end)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

void LoadSafetensors(const fs::path& path, WeightLoader* loader) {
  auto files = std::make_shared<ShardedCheckpoint>(ShardedCheckpoint::Open(path));
  for (const ShardedCheckpoint::Entry& entry : files->entries()) {
    loader->Add({entry.tensor->name, entry.tensor->type, entry.tensor->shape, files->Bytes(entry)});
  }
  for (const MappedSource* source : files->Sources()) {
    loader->weights().KeepFile(files, {source->path(), source->bytes()});
  }
}

ModelConfig LanguageModelConfig(Json config) {
  const Json* text = config.Find("text_config");
  if (text == nullptr || !text->is_object()) return ModelConfig(std::move(config));
  Json inner = *text;
  // What the language model of the whole is for, and what its tokens are.
  inner.Set("architectures", Json::Arr({"ForCausalLM"}));
  for (const char* key : {"eos_token_id", "bos_token_id", "pad_token_id", "tie_word_embeddings"}) {
    const Json* outer = config.Find(key);
    if (outer != nullptr && inner.Find(key) == nullptr) inner.Set(key, *outer);
  }
  return ModelConfig(std::move(inner));
}

Checkpoint LoadCheckpoint(const fs::path& path) {
  if (path.extension() == ".gguf" && fs::is_regular_file(path)) return LoadGguf(path);
  if (!fs::is_directory(path)) {
    throw Error(Code::kNotFound, path.string() + " is no model folder");
  }
  bool safetensors = !FilesEndingIn(path, ".safetensors").empty() ||
                     !FilesEndingIn(path, ".safetensors.index.json").empty();
  bool torch =
      fs::exists(path / "pytorch_model.bin") || fs::exists(path / "pytorch_model.bin.index.json");
  std::vector<fs::path> gguf = FilesEndingIn(path, ".gguf");
  if (!safetensors && !torch && !gguf.empty()) {
    std::erase_if(gguf, [](const fs::path& file) { return IsLaterGgufPart(file); });
    if (gguf.size() != 1) {
      throw Error(Code::kInvalidArgument,
                  path.string() + " holds several .gguf models; name one of the files");
    }
    return LoadGguf(gguf.front());
  }
  std::string text = ReadFile(path / "config.json", kMaxConfigBytes);
  Checkpoint checkpoint{LanguageModelConfig(Json::Parse(text)), {}, path, {}, nullptr};
  WeightLoader loader(checkpoint.config, &checkpoint.weights);
  if (safetensors || !torch) {
    LoadSafetensors(path, &loader);
  } else {
    LoadTorch(path, &loader);
  }
  const Architecture* architecture = FindArchitecture(checkpoint.config.model_type());
  if (architecture != nullptr && architecture->derive != nullptr) {
    architecture->derive(checkpoint.config, architecture->prefix, &checkpoint.weights);
  }
  return checkpoint;
}

}  // namespace hearth::runtime

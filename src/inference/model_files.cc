// Which files of a repository a worker reads (see runtime/checkpoint.cc, runtime/model.cc,
// runtime/sentence_modules.cc and tokenizers/loaders for who reads them).
#include <algorithm>
#include <array>
#include <string>

#include "base/bytes.h"
#include "inference/snapshot.h"

namespace hearth::inference {
namespace {

// Folders below the top that hold modules of sentence-transformers: "1_Pooling", "2_Dense".
bool IsModuleFolder(std::string_view folder) {
  size_t digits = 0;
  while (digits < folder.size() && folder[digits] >= '0' && folder[digits] <= '9') ++digits;
  return digits > 0 && digits <= 3 && digits < folder.size() && folder[digits] == '_' &&
         folder.find('/') == std::string_view::npos;
}

bool IsSmallFile(std::string_view name) {
  static constexpr std::array kNames = {
      std::string_view("config.json"),
      std::string_view("config_sentence_transformers.json"),
      std::string_view("generation_config.json"),
      std::string_view("modules.json"),
      std::string_view("added_tokens.json"),
      std::string_view("special_tokens_map.json"),
      std::string_view("merges.txt"),
      std::string_view("bpe.codes"),
      std::string_view("tekken.json"),
      std::string_view("preprocessor_config.json"),
      std::string_view("processor_config.json"),
      std::string_view("adapter_config.json"),
  };
  if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return true;
  if (name.starts_with("tokenizer") || name.starts_with("vocab") ||
      name.starts_with("chat_template")) {
    return true;
  }
  if (name.starts_with("sentence_") && name.ends_with("_config.json")) return true;
  // SentencePiece and tiktoken vocabularies.
  return name.ends_with(".model") || name.ends_with(".tiktoken") || name.ends_with(".spm");
}

bool EndsInAny(std::string_view name, std::initializer_list<std::string_view> ends) {
  return std::any_of(ends.begin(), ends.end(), [&](auto end) { return name.ends_with(end); });
}

bool IsTorch(std::string_view name) {
  return name.starts_with("pytorch_model") && EndsInAny(name, {".bin", ".bin.index.json"});
}

// "model-00002-of-00003.gguf": parts go together.
std::string GgufGroup(std::string_view name) {
  size_t of = name.rfind("-of-");
  size_t part = of == std::string_view::npos ? of : name.rfind('-', of - 1);
  return std::string(name.substr(0, part == std::string_view::npos ? name.size() - 5 : part));
}

// Smaller is better: what CPUs run well without visible loss comes first.
size_t GgufRank(std::string_view name) {
  static constexpr std::array kKinds = {
      std::string_view("q4_k_m"), std::string_view("q5_k_m"), std::string_view("q4_k_s"),
      std::string_view("q6_k"),   std::string_view("q8_0"),   std::string_view("q4_0"),
      std::string_view("iq4"),    std::string_view("bf16"),   std::string_view("f16"),
  };
  std::string lower = AsciiLower(name);
  // Projectors of images are no models of their own.
  if (lower.find("mmproj") != std::string::npos) return 100;
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (lower.find(kKinds[i]) != std::string::npos) return i;
  }
  return 50;
}

void AddGguf(const std::vector<std::string>& paths, std::string_view best,
             std::vector<std::string>* chosen) {
  bool choose = best.empty();
  for (const std::string& path : paths) {
    if (!choose || !path.ends_with(".gguf")) continue;
    if (best.empty() || GgufRank(path) < GgufRank(best)) best = path;
  }
  if (best.empty()) return;
  std::string group = GgufGroup(best);
  for (const std::string& path : paths) {
    if (path.ends_with(".gguf") && GgufGroup(path) == group) chosen->push_back(path);
  }
}

}  // namespace

bool IsWeightFile(std::string_view path) {
  return EndsInAny(path, {".safetensors", ".bin", ".gguf"});
}

std::vector<std::string> ChooseModelFiles(const std::vector<std::string>& paths,
                                          std::string_view gguf) {
  std::vector<std::string> top, chosen;
  for (const std::string& path : paths) {
    size_t slash = path.find('/');
    if (slash == std::string::npos) {
      top.push_back(path);
    } else if (IsModuleFolder(std::string_view(path).substr(0, slash)) &&
               path.find('/', slash + 1) == std::string::npos) {
      std::string_view name = std::string_view(path).substr(slash + 1);
      if (IsSmallFile(name) || name == "model.safetensors" || name == "pytorch_model.bin") {
        chosen.push_back(path);
      }
    }
  }
  bool safetensors = false, torch = false, adapter = false;
  for (const std::string& name : top) {
    bool is_adapter = name.starts_with("adapter_model.");
    adapter |= is_adapter;
    safetensors |= !is_adapter && EndsInAny(name, {".safetensors", ".safetensors.index.json"});
    torch |= IsTorch(name);
    if (IsSmallFile(name)) chosen.push_back(name);
  }
  for (const std::string& name : top) {
    bool wanted = safetensors ? EndsInAny(name, {".safetensors", ".safetensors.index.json"})
                              : torch && IsTorch(name);
    if (wanted || (adapter && name == "adapter_model.bin")) chosen.push_back(name);
  }
  if (!safetensors && !torch) AddGguf(top, gguf, &chosen);
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

}  // namespace hearth::inference

#include "client/model_files.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::client {
namespace {

constexpr size_t kPartDigits = 5;  // model-00001-of-00003.safetensors
constexpr uint64_t kMaxParts = 10'000;

// What is read besides weights, in the model's folder; tokenizers of every kind that loads.
bool IsTokenizerFile(std::string_view name) {
  static constexpr std::string_view kNames[] = {"tokenizer.json",
                                                "tokenizer_config.json",
                                                "special_tokens_map.json",
                                                "added_tokens.json",
                                                "vocab.json",
                                                "vocab.txt",
                                                "merges.txt",
                                                "tekken.json",
                                                "chat_template.jinja",
                                                "config.json",
                                                "generation_config.json"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) ||
         name.ends_with(".model") || name.ends_with(".tiktoken");
}

bool IsModelText(std::string_view name) {
  return IsTokenizerFile(name) || name == "modules.json" ||
         name == "config_sentence_transformers.json" ||
         (name.starts_with("sentence_") && name.ends_with("_config.json"));
}

// "2_Dense/model.safetensors": a module of sentence-transformers.
bool IsModuleFile(std::string_view path) {
  size_t slash = path.find('/');
  if (slash == std::string_view::npos) return false;
  std::string_view folder = path.substr(0, slash), name = path.substr(slash + 1);
  size_t digits = folder.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || folder[digits] != '_') return false;
  return name == "config.json" || name == "model.safetensors" || name == "pytorch_model.bin";
}

struct Part {
  std::string before, after;  // of "-00001-of-00003"
  uint64_t index = 0, count = 0;
};

std::optional<Part> ParsePart(const std::string& path) {
  size_t of = path.rfind("-of-");
  if (of == std::string::npos || of < kPartDigits + 1 || of + 4 + kPartDigits > path.size()) {
    return std::nullopt;
  }
  size_t begin = of - kPartDigits;
  auto index = ParseUint(std::string_view(path).substr(begin, kPartDigits));
  auto count = ParseUint(std::string_view(path).substr(of + 4, kPartDigits));
  if (!index || !count || path[begin - 1] != '-' || *count == 0 || *count > kMaxParts) {
    return std::nullopt;
  }
  return Part{path.substr(0, begin - 1), path.substr(of + 4 + kPartDigits), *index, *count};
}

class Selection {
 public:
  explicit Selection(std::span<const std::string> paths) : paths_(paths) {}

  void Take(const std::string& path) { taken_.insert(path); }
  bool Has(const std::string& path) const {
    return std::find(paths_.begin(), paths_.end(), path) != paths_.end();
  }
  // A file, with the others when it is one of several parts.
  void TakeWithParts(const std::string& path) {
    if (!Has(path)) throw Error(Code::kNotFound, "there is no " + path + " in the repository");
    std::optional<Part> part = ParsePart(path);
    Take(path);
    for (uint64_t i = 1; part && i <= part->count; ++i) {
      std::string digits = std::to_string(i), count = std::to_string(part->count);
      std::string name = part->before + "-" + std::string(kPartDigits - digits.size(), '0') +
                         digits + "-of-" + std::string(kPartDigits - count.size(), '0') + count +
                         part->after;
      if (!Has(name)) throw Error(Code::kNotFound, "the part " + name + " is missing");
      Take(name);
    }
  }
  // <stem><ending>, or its parts with their index; false when there is neither.
  bool TakeWeights(const std::string& stem, const std::string& ending) {
    if (Has(stem + ending)) {
      Take(stem + ending);
      return true;
    }
    if (!Has(stem + ending + ".index.json")) return false;
    Take(stem + ending + ".index.json");
    for (const std::string& path : paths_) {
      bool named = path.starts_with(stem + "-") && path.ends_with(ending);
      if (named && ParsePart(path)) TakeWithParts(path);
    }
    return true;
  }
  std::vector<std::string> Taken() const {
    std::vector<std::string> taken;
    for (const std::string& path : paths_) {
      if (taken_.count(path) != 0) taken.push_back(path);
    }
    return taken;
  }

 private:
  std::span<const std::string> paths_;
  std::set<std::string> taken_;
};

bool InFolder(const std::string& path) { return path.find('/') != std::string::npos; }

// Safetensors under other names than the usual one: all of them.
bool TakeOtherSafetensors(std::span<const std::string> paths, Selection* selection) {
  bool any = false;
  for (const std::string& path : paths) {
    if (InFolder(path) || !path.ends_with(".safetensors") || path.starts_with("adapter_")) continue;
    selection->Take(path);
    any = true;
  }
  return any;
}

// The only .gguf model at the top.
bool TakeGguf(std::span<const std::string> paths, Selection* selection) {
  std::vector<std::string> models;
  for (const std::string& path : paths) {
    std::optional<Part> part = ParsePart(path);
    bool later = part && part->index != 1;
    if (!InFolder(path) && IsGguf(path) && !later) models.push_back(path);
  }
  if (models.empty()) return false;
  if (models.size() > 1) {
    std::string names;
    for (const std::string& name : models) names += " " + name;
    throw Error(Code::kInvalidArgument,
                "the repository holds several models; add a colon and one of:" + names);
  }
  selection->TakeWithParts(models.front());
  return true;
}

void TakeModules(std::span<const std::string> paths, Selection* selection) {
  if (!selection->Has("modules.json")) return;
  for (const std::string& path : paths) {
    if (!IsModuleFile(path)) continue;
    std::string folder = path.substr(0, path.find('/') + 1);
    bool twice = path.ends_with(".bin") && selection->Has(folder + "model.safetensors");
    if (!twice) selection->Take(path);
  }
}

}  // namespace

bool IsGguf(const std::string& path) { return path.ends_with(".gguf"); }

std::vector<std::string> SelectModelFiles(std::span<const std::string> paths, ModelParts parts,
                                          const std::string& file) {
  Selection selection(paths);
  if (!file.empty()) {
    selection.TakeWithParts(file);
    return selection.Taken();
  }
  bool any_tokenizer = false;
  for (const std::string& path : paths) {
    bool text = parts == ModelParts::kAll ? IsModelText(path) : IsTokenizerFile(path);
    if (InFolder(path) || !text) continue;
    any_tokenizer |= path != "config.json" && path != "generation_config.json";
    selection.Take(path);
  }
  if (parts == ModelParts::kTokenizer) {
    if (any_tokenizer || TakeGguf(paths, &selection)) return selection.Taken();
    throw Error(Code::kNotFound, "there is no tokenizer in the repository");
  }
  bool weights = selection.TakeWeights("model", ".safetensors") ||
                 TakeOtherSafetensors(paths, &selection) ||
                 selection.TakeWeights("pytorch_model", ".bin");
  if (weights && !selection.Has("config.json")) {
    throw Error(Code::kNotFound, "the repository has weights but no config.json");
  }
  if (!weights && !TakeGguf(paths, &selection)) {
    throw Error(Code::kNotFound,
                "the repository holds no weights that run here (*.safetensors, "
                "pytorch_model.bin, *.gguf)");
  }
  TakeModules(paths, &selection);
  return selection.Taken();
}

}  // namespace hearth::client

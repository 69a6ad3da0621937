#include "tokenizers/loaders/loader.h"

#include <fstream>

#include "base/error.h"
#include "tokenizers/loaders/file_kind.h"
#include "tokenizers/models/model_parts.h"

namespace hearth::tokenizers {

#define HEARTH_TOKENIZER_LOADER(Name) std::optional<Json> Load##Name(const TokenizerFiles& files);
#include "tokenizers/loaders.inc"
#undef HEARTH_TOKENIZER_LOADER

Json LoadTokenizerJson(const TokenizerFiles& files) {
  if (auto text = files.Read("tokenizer.json")) return Json::Parse(*text);
#define HEARTH_TOKENIZER_LOADER(Name) \
  if (auto json = Load##Name(files)) return *std::move(json);
#include "tokenizers/loaders.inc"
#undef HEARTH_TOKENIZER_LOADER
  throw Error(Code::kNotFound, "no tokenizer; expected " + std::string(kExpectedFiles));
}

namespace {

// An error about `path` that names it.
template <typename Load>
auto Naming(const std::filesystem::path& path, Load&& load) {
  try {
    return load();
  } catch (const Error& error) {
    if (error.message().find(path.string()) != std::string::npos) throw;
    throw Error(error.code(), path.string() + ": " + error.message());
  }
}

bool FileMayBeTokenizerJson(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  if (name.starts_with("tekken")) return false;
  std::ifstream file(path, std::ios::binary);
  char first = 0;
  file >> first;  // behind blanks
  return first == '{';
}

Tokenizer LoadKind(const std::filesystem::path& path, const LoadOptions& options) {
  std::error_code ignored;
  std::filesystem::path file = path;
  if (std::filesystem::is_directory(path, ignored)) file /= "tokenizer.json";
  bool exists = std::filesystem::is_regular_file(file, ignored);
  if (exists && file.filename() == "tokenizer.json") return Tokenizer::FromFile(file, options);
  // Any other name may be a tokenizer.json as well. Only what is none is read twice.
  if (exists && FileMayBeTokenizerJson(file)) {
    try {
      return Tokenizer::FromFile(file, options);
    } catch (const Error&) {
      if (FolderFiles(file).Names().front() == "tokenizer.json") throw;
    }
  }
  bool keeps = !options.cache_folder.empty();
  if (keeps && path.extension() == ".gguf" && std::filesystem::is_regular_file(path, ignored)) {
    auto read = [](const std::filesystem::path& gguf) {
      Json json = LoadTokenizerJson(gguf);
      const Json* model = json.Find("model");
      if (model != nullptr && model->Find(kBinaryScores) != nullptr) {
        throw Error(Code::kUnimplemented, "scores that a text would round");
      }
      return json.Dump();
    };
    try {
      return Tokenizer::FromFile(path, options, read);
    } catch (const Error&) {
      // What JSON text cannot hold; or a fault, which is told below.
    }
  }
  return Tokenizer::Build(LoadTokenizerJson(path));
}

}  // namespace

Json LoadTokenizerJson(const std::filesystem::path& path) {
  return Naming(path, [&] { return LoadTokenizerJson(FolderFiles(path)); });
}

Tokenizer LoadTokenizer(const std::filesystem::path& path, const LoadOptions& options) {
  return Naming(path, [&] { return LoadKind(path, options); });
}

}  // namespace hearth::tokenizers

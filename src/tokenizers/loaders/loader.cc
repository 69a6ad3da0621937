#include "tokenizers/loaders/loader.h"

#include "base/error.h"
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
  throw Error(Code::kNotFound, "there is no tokenizer file of a known kind");
}

Json LoadTokenizerJson(const std::filesystem::path& path) {
  return LoadTokenizerJson(FolderFiles(path));
}

Tokenizer LoadTokenizer(const std::filesystem::path& path, const LoadOptions& options) {
  std::error_code ignored;
  std::filesystem::path file = path;
  if (std::filesystem::is_directory(path, ignored)) file /= "tokenizer.json";
  if (file.filename() == "tokenizer.json" && std::filesystem::is_regular_file(file, ignored)) {
    return Tokenizer::FromFile(file, options);
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

}  // namespace hearth::tokenizers

// Code of its own: auto_map names a class in a file of the repository (or of another one), which
// runs when the model is loaded with trust_remote_code.
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMaxEntries = 100;

// "ns/name--module.Class" or "module.Class".
struct ClassReference {
  std::string repo;
  std::string file;  // "module.py"
};

ClassReference ParseReference(std::string_view text) {
  ClassReference reference;
  size_t dashes = text.find("--");
  if (dashes != std::string_view::npos) {
    reference.repo = std::string(text.substr(0, dashes));
    text.remove_prefix(dashes + 2);
  }
  size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  reference.file = std::string(text.substr(0, dot)) + ".py";
  for (char& c : reference.file) {
    if (c == '.' && &c != &reference.file[reference.file.size() - 3]) c = '/';
  }
  return reference;
}

void Judge(const Survey& survey, const std::string& path, const std::string& key,
           std::string_view value, Classification* result) {
  ClassReference reference = ParseReference(value);
  if (reference.file.empty()) return;
  Evidence place = At(path, "/auto_map/" + key, std::string(value));
  if (!reference.repo.empty()) {
    result->Add("remote_code", Level::kDeclared, place);
    if (!IsRepoId(reference.repo, false)) return;
    for (const Reference& known : result->references) {
      if (known.role == "code" && known.id == reference.repo) return;
    }
    result->references.push_back({.role = "code",
                                  .type = "model",
                                  .id = reference.repo,
                                  .revision = "",
                                  .level = Level::kDeclared,
                                  .evidence = place});
  } else if (survey.Has(reference.file)) {
    result->Add("remote_code", Level::kProved, place)
        .evidence.push_back(At(reference.file, "", "the code that it names"));
  } else {
    result->Add("remote_code", Level::kDeclared, place);
    result
        ->Warn("code_missing", Level::kProved,
               "auto_map names " + reference.file + ", which is not in the repository.")
        .evidence = {place};
  }
}

}  // namespace

void FindRemoteCode(const Survey& survey, Classification* result) {
  if (survey.type() == "space" || survey.type() == "dataset") return;
  for (const char* path : {"config.json", "tokenizer_config.json", "processor_config.json",
                           "preprocessor_config.json"}) {
    Json config = std::string_view(path) == "config.json" ? survey.config() : survey.ReadJson(path);
    const Json* map = config.Find("auto_map");
    if (map == nullptr || !map->is_object()) continue;
    size_t entries = 0;
    for (const auto& [key, value] : *map->AsObject()) {
      if (++entries > kMaxEntries) break;
      if (const std::string* text = value.AsString()) {
        Judge(survey, path, key, *text, result);
      } else if (const Json::Array* items = value.AsArray()) {
        for (const Json& item : *items) {
          if (const std::string* text = item.AsString()) Judge(survey, path, key, *text, result);
        }
      }
    }
  }
}

}  // namespace hearth::inspector

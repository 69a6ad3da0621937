// What a repository says of where it comes from: front matter, configuration, headers. Pure apart
// from reads of the view.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/finding.h"
#include "hub/inspector/repo_view.h"

namespace hearth::inspector {

struct DeclaredBase {
  std::string id;        // "ns/name", as written
  std::string revision;  // "" = not said
  std::string relation;  // "finetune", "adapter", "quantized", "merge"; "" = not said
  Level level = Level::kDeclared;
  std::vector<Evidence> evidence;
};

// Front matter of README.md; null when there is none or it is no YAML.
Json ReadFrontMatter(const RepoView& view);
// A list of texts, or one text; what is no text is left out.
std::vector<std::string> TextsOf(const Json& object, std::string_view key);
// A JSON file of the repository; null when it is absent, too large or broken.
Json ReadJsonFile(const RepoView& view, std::string_view path, uint64_t max_bytes = 16u << 20);

// base_model of the card, base_model_name_or_path of an adapter, general.base_model.* of a GGUF
// header; _name_or_path of a configuration is a hint (kInferred), as trainers leave it. One entry
// per id, at most 20.
std::vector<DeclaredBase> FindDeclaredBases(const RepoView& view);

}  // namespace hearth::inspector

#include "hub/inspector/provenance/declared.h"

#include <algorithm>
#include <cctype>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/yaml.h"
#include "hub/inspector/weights/weight_sets.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMaxBases = 20;
constexpr size_t kMaxIdBytes = 200;

bool LooksLikeId(std::string_view text) {
  if (text.empty() || text.size() > kMaxIdBytes) return false;
  size_t slash = text.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == text.size()) return false;
  if (text.find('/', slash + 1) != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' ||
           c == '/';
  });
}

std::string TextOf(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  const std::string* text = value == nullptr ? nullptr : value->AsString();
  return text == nullptr ? "" : *text;
}

class Bases {
 public:
  void Add(DeclaredBase base) {
    if (!LooksLikeId(base.id)) return;
    std::string key = AsciiLower(base.id);
    for (DeclaredBase& known : found_) {
      if (AsciiLower(known.id) != key) continue;
      known.evidence.insert(known.evidence.end(), base.evidence.begin(), base.evidence.end());
      if (known.relation.empty()) known.relation = base.relation;
      if (known.revision.empty()) known.revision = base.revision;
      return;
    }
    if (found_.size() < kMaxBases) found_.push_back(std::move(base));
  }
  std::vector<DeclaredBase> Take() { return std::move(found_); }

 private:
  std::vector<DeclaredBase> found_;
};

Evidence At(std::string file, std::string place, std::string rule) {
  return {.file = std::move(file), .place = std::move(place), .rule = std::move(rule), .repo = {}};
}

void AddFromCard(const RepoView& view, Bases* bases) {
  Json card = ReadFrontMatter(view);
  std::vector<std::string> ids = TextsOf(card, "base_model");
  std::string relation = TextOf(card, "base_model_relation");
  if (relation.empty() && ids.size() > 1) relation = "merge";
  for (const std::string& id : ids) {
    bases->Add({.id = id,
                .revision = "",
                .relation = relation,
                .evidence = {At("README.md", "/base_model", "the card names its base model")}});
  }
}

// Of the main GGUF file: general.base_model.0.repo_url, .organization, .name.
void AddFromGguf(const RepoView& view, Bases* bases) {
  for (const WeightSet& set : FindWeightSets(view)) {
    if (set.format != "gguf") continue;
    for (const auto& [key, value] : ReadWeightHeaders(view, set).metadata) {
      bool url = key.starts_with("general.base_model.") && key.ends_with(".repo_url");
      if (!url && key != "general.source.huggingface.repository") continue;
      std::vector<std::string_view> parts = Split(value, '/');
      if (parts.size() < 2) continue;
      std::string id = std::string(parts[parts.size() - 2]) + "/" + std::string(parts.back());
      bases->Add({.id = std::move(id),
                  .revision = "",
                  .relation = "",
                  .evidence = {At(set.files[0], "metadata " + key, "the header names it")}});
    }
    return;
  }
}

}  // namespace

Json ReadFrontMatter(const RepoView& view) {
  std::optional<std::string> text = view.ReadText("README.md");
  if (!text) return {};
  FrontMatter matter = SplitFrontMatter(*text);
  if (!matter.present) return {};
  try {
    return ParseYaml(matter.yaml);
  } catch (const Error&) {
    return {};
  }
}

std::vector<std::string> TextsOf(const Json& object, std::string_view key) {
  std::vector<std::string> texts;
  const Json* value = object.Find(key);
  if (value == nullptr) return texts;
  if (const std::string* text = value->AsString()) return {*text};
  if (const Json::Array* list = value->AsArray()) {
    for (const Json& item : *list)
      if (const std::string* text = item.AsString()) texts.push_back(*text);
  }
  return texts;
}

Json ReadJsonFile(const RepoView& view, std::string_view path, uint64_t max_bytes) {
  std::optional<std::string> text = view.ReadText(path, max_bytes);
  if (!text) return {};
  try {
    return Json::Parse(*text);
  } catch (const Error&) {
    return {};
  }
}

std::vector<DeclaredBase> FindDeclaredBases(const RepoView& view) {
  Bases bases;
  AddFromCard(view, &bases);
  Json adapter = ReadJsonFile(view, "adapter_config.json");
  bases.Add({.id = TextOf(adapter, "base_model_name_or_path"),
             .revision = TextOf(adapter, "revision"),
             .relation = "adapter",
             .evidence = {At("adapter_config.json", "/base_model_name_or_path",
                             "the adapter's configuration names its base")}});
  AddFromGguf(view, &bases);
  std::string id = TextOf(ReadJsonFile(view, "config.json"), "_name_or_path");
  if (AsciiLower(id) != AsciiLower(view.id())) {
    bases.Add({.id = id,
               .revision = "",
               .relation = "",
               .level = Level::kInferred,
               .evidence = {At("config.json", "/_name_or_path",
                               "the trainer left the name that it started from")}});
  }
  return bases.Take();
}

}  // namespace hearth::inspector

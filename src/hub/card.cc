// Cards: README.md with YAML front matter, and what is accepted in it.
//
// A broken card stops a commit only when no program could read it: the YAML does not parse, or a
// known key has a value of the wrong kind. Unknown words (a licence, a language, a task) are
// warnings: the list of words grows faster than any server is updated.
#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/yaml.h"
#include "hub/facts.h"
#include "hub/inspector/card/card_document.h"
#include "hub/internal/card_fields.h"
#include "hub/internal/card_tables.h"
#include "hub/tasks.h"

namespace hearth::hub {
namespace {

constexpr YamlLimits kCardLimits{.max_bytes = 4u << 20, .max_depth = 60, .max_nodes = 300'000};

enum class Kind { kString, kStringOrList, kList, kBool, kNumber, kObject, kObjectOrList, kAny };

struct KeyRule {
  std::string_view key;
  Kind kind;
  // 'm', 'd', 's': the types of repository that know the key.
  std::string_view types;
};

constexpr KeyRule kKeys[] = {
    {"license", Kind::kStringOrList, "mds"},
    {"license_name", Kind::kString, "mds"},
    {"license_link", Kind::kString, "mds"},
    {"language", Kind::kStringOrList, "md"},
    {"tags", Kind::kStringOrList, "mds"},
    {"thumbnail", Kind::kString, "mds"},
    {"extra_gated_prompt", Kind::kString, "md"},
    {"extra_gated_heading", Kind::kString, "md"},
    {"extra_gated_description", Kind::kString, "md"},
    {"extra_gated_button_content", Kind::kString, "md"},
    {"extra_gated_fields", Kind::kObject, "md"},
    {"extra_gated_eu_disallowed", Kind::kBool, "md"},
    {"library_name", Kind::kString, "m"},
    {"pipeline_tag", Kind::kString, "m"},
    {"datasets", Kind::kStringOrList, "ms"},
    {"models", Kind::kStringOrList, "s"},
    {"metrics", Kind::kAny, "m"},
    {"base_model", Kind::kStringOrList, "m"},
    {"base_model_relation", Kind::kString, "m"},
    {"new_version", Kind::kString, "m"},
    {"model-index", Kind::kList, "m"},
    {"model_name", Kind::kString, "m"},
    {"pretty_name", Kind::kString, "d"},
    {"annotations_creators", Kind::kStringOrList, "d"},
    {"language_creators", Kind::kStringOrList, "d"},
    {"multilinguality", Kind::kStringOrList, "d"},
    {"size_categories", Kind::kStringOrList, "d"},
    {"source_datasets", Kind::kStringOrList, "d"},
    {"task_categories", Kind::kStringOrList, "d"},
    {"task_ids", Kind::kStringOrList, "d"},
    {"paperswithcode_id", Kind::kString, "d"},
    {"dataset_info", Kind::kObjectOrList, "d"},
    {"configs", Kind::kList, "d"},
    {"viewer", Kind::kBool, "d"},
    {"title", Kind::kString, "s"},
    {"emoji", Kind::kString, "s"},
    {"colorFrom", Kind::kString, "s"},
    {"colorTo", Kind::kString, "s"},
    {"sdk", Kind::kString, "s"},
    {"app_file", Kind::kString, "s"},
    {"app_port", Kind::kNumber, "s"},
    {"base_path", Kind::kString, "s"},
    {"fullWidth", Kind::kBool, "s"},
    {"header", Kind::kString, "s"},
    {"short_description", Kind::kString, "s"},
    {"pinned", Kind::kBool, "s"},
    {"hf_oauth", Kind::kBool, "s"},
    {"hf_oauth_scopes", Kind::kList, "s"},
    {"disable_embedding", Kind::kBool, "s"},
    {"preload_from_hub", Kind::kList, "s"},
};

constexpr std::string_view kColors[] = {"red",  "yellow", "green", "blue",
                                        "gray", "indigo", "pink",  "purple"};
constexpr std::string_view kSdks[] = {"gradio", "docker", "static", "streamlit"};
constexpr std::string_view kRelations[] = {"adapter", "merge", "quantized", "finetune"};

bool IsScalarText(const Json& value) { return value.is_string() || value.is_number(); }

bool Fits(const Json& value, Kind kind) {
  switch (kind) {
    case Kind::kString:
      return IsScalarText(value);
    case Kind::kStringOrList:
      if (const Json::Array* items = value.AsArray())
        return std::all_of(items->begin(), items->end(), IsScalarText);
      return IsScalarText(value);
    case Kind::kList:
      return value.is_array();
    case Kind::kBool:
      return value.is_bool();
    case Kind::kNumber:
      return value.is_number();
    case Kind::kObject:
      return value.is_object();
    case Kind::kObjectOrList:
      return value.is_object() || value.is_array();
    case Kind::kAny:
      return true;
  }
  return true;
}

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kString:
      return "a string";
    case Kind::kStringOrList:
      return "a string or a list of strings";
    case Kind::kList:
      return "a list";
    case Kind::kBool:
      return "true or false";
    case Kind::kNumber:
      return "a number";
    case Kind::kObject:
      return "an object";
    case Kind::kObjectOrList:
      return "an object or a list of objects";
    case Kind::kAny:
      break;
  }
  return "a value";
}

template <size_t N>
bool OneOf(std::string_view value, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), value) != std::end(list);
}

template <size_t N>
void CheckChoice(const Json& card, std::string_view key, const std::string_view (&list)[N],
                 std::vector<std::string>* faults) {
  std::string value = TextOf(card, key);
  if (value.empty() || OneOf(value, list)) return;
  std::string text = "\"" + std::string(key) + "\" must be one of [";
  for (std::string_view choice : list)
    text += (choice == list[0] ? "" : ", ") + std::string(choice);
  faults->push_back(text + "]");
}

void CheckKinds(RepoType type, const Json& card, CardVerdict* verdict) {
  char letter = SingularName(type)[0];
  for (const KeyRule& rule : kKeys) {
    if (rule.types.find(letter) == std::string_view::npos) continue;
    const Json* value = card.Find(rule.key);
    if (value == nullptr || value->is_null() || Fits(*value, rule.kind)) continue;
    verdict->errors.push_back("\"" + std::string(rule.key) + "\" must be " +
                              std::string(KindName(rule.kind)));
  }
}

void CheckWords(RepoType type, const Json& card, CardVerdict* verdict) {
  for (const std::string& license : TextList(card.Find("license"))) {
    if (!IsKnownLicense(license))
      verdict->warnings.push_back("unknown license \"" + license +
                                  "\": use an identifier of the list, or `other` with license_name "
                                  "and license_link");
  }
  for (const std::string& language : TextList(card.Find("language"))) {
    if (!IsKnownLanguage(language))
      verdict->warnings.push_back("unknown language \"" + language +
                                  "\": use an ISO 639 code such as `en`");
  }
  if (type == RepoType::kModel) {
    std::string task = TextOf(card, "pipeline_tag");
    if (!task.empty() && FindTask(task) == nullptr)
      verdict->warnings.push_back("unknown pipeline_tag \"" + task + "\"");
    for (const std::string& base : TextList(card.Find("base_model"))) {
      if (!LooksLikeRepoId(base))
        verdict->warnings.push_back("base_model \"" + base + "\" is not the id of a model");
    }
    for (const std::string& dataset : TextList(card.Find("datasets"))) {
      if (!LooksLikeRepoId(dataset))
        verdict->warnings.push_back("\"" + dataset + "\" in datasets is not the id of a dataset");
    }
  }
  if (type == RepoType::kDataset) {
    for (const std::string& task : TextList(card.Find("task_categories"))) {
      if (FindTask(task) == nullptr)
        verdict->warnings.push_back("unknown task category \"" + task + "\"");
    }
  }
  if (type != RepoType::kSpace && TextList(card.Find("license")).empty())
    verdict->warnings.push_back("no license: say under which terms others may use this");
}

// model-index: [{name, results: [{task, dataset, metrics: [{type, value}]}]}]. Clients read it with
// strict code, so its skeleton is checked.
void CheckModelIndex(const Json& card, CardVerdict* verdict) {
  const Json* index = card.Find("model-index");
  if (index == nullptr || !index->is_array()) return;
  for (const Json& model : *index->AsArray()) {
    if (!model.is_object() || TextOf(model, "name").empty()) {
      verdict->errors.push_back("\"model-index[].name\" is required");
      return;
    }
    const Json* results = model.Find("results");
    if (results == nullptr || results->is_null()) continue;
    if (!results->is_array()) {
      verdict->errors.push_back("\"model-index[].results\" must be a list");
      return;
    }
    for (const Json& result : *results->AsArray()) {
      const Json* metrics = result.Find("metrics");
      if (!result.is_object() || (metrics != nullptr && !metrics->is_array())) {
        verdict->errors.push_back(
            "\"model-index[].results[]\" must hold task, dataset and a list of metrics");
        return;
      }
    }
  }
}

// "language: no" is false in YAML 1.1, and means Norwegian on a card.
void MendNorwegian(Json* card) {
  Json* language = card->Find("language");
  if (language == nullptr) return;
  auto mend = [](Json* value) {
    if (value->AsBool() == std::optional<bool>(false)) *value = Json("no");
  };
  if (Json::Array* items = language->AsArray()) {
    for (Json& item : *items) mend(&item);
  } else {
    mend(language);
  }
}

}  // namespace

Card ReadCard(std::string_view markdown) {
  Card card;
  FrontMatter parts = SplitFrontMatter(markdown);
  card.text = std::move(parts.body);
  card.has_front_matter = parts.present;
  if (!parts.present) return card;
  try {
    Json data = ParseYaml(parts.yaml, kCardLimits);
    if (data.is_null()) data = Json::Obj();
    if (data.is_object()) {
      MendNorwegian(&data);
      card.data = std::move(data);
    } else {
      card.problems.push_back("the metadata must be `key: value` lines");
    }
  } catch (const Error& error) {
    card.problems.push_back(error.message());
  }
  return card;
}

std::vector<std::string> TextList(const Json* value) { return inspector::ListedTexts(value); }

std::string TextOf(const Json& object, std::string_view key) {
  return inspector::CardText(object, key);
}

bool LooksLikeRepoId(std::string_view text) {
  if (text.empty() || text.size() > 193) return false;
  size_t slashes = 0;
  for (char c : text) {
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == '.' || c == '_' || c == '-';
    if (c == '/') ++slashes;
    if (!word && c != '/') return false;
  }
  return slashes <= 1 && text.front() != '/' && text.back() != '/' && text.front() != '.';
}

CardVerdict ValidateCard(RepoType type, std::string_view content) {
  CardVerdict verdict;
  Card card = ReadCard(content);
  for (const std::string& problem : card.problems)
    verdict.errors.push_back("Invalid YAML metadata in README.md: " + problem);
  if (!verdict.errors.empty()) return verdict;
  if (!card.has_front_matter) {
    verdict.warnings.push_back("empty or missing yaml metadata in repo card");
    return verdict;
  }
  CheckKinds(type, card.data, &verdict);
  if (type == RepoType::kModel) {
    CheckModelIndex(card.data, &verdict);
    CheckChoice(card.data, "base_model_relation", kRelations, &verdict.errors);
  }
  if (type == RepoType::kSpace) {
    CheckChoice(card.data, "sdk", kSdks, &verdict.errors);
    CheckChoice(card.data, "colorFrom", kColors, &verdict.errors);
    CheckChoice(card.data, "colorTo", kColors, &verdict.errors);
    if (TextOf(card.data, "sdk").empty())
      verdict.warnings.push_back("no sdk: a Space needs `sdk: gradio`, `docker` or `static`");
  }
  CheckWords(type, card.data, &verdict);
  return verdict;
}

}  // namespace hearth::hub

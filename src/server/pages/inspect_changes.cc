#include "server/pages/inspect_changes.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "server/fault.h"
#include "server/inspector_api/changes.h"
#include "server/pages/compare_places.h"
#include "text/utf8.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxRows = 200;  // of a table
constexpr size_t kMaxTemplateLines = 1000;
constexpr size_t kMaxValueBytes = 400;
constexpr size_t kMaxTokenizerBytes = 20'000;

std::string Cut(std::string text, size_t limit) {
  if (text.size() <= limit) return text;
  return std::string(TruncateUtf8Bytes(text, limit)) + "…";
}

std::string ValueText(const Json* value) {
  if (value == nullptr) return {};
  return Cut(value->AsString() != nullptr ? *value->AsString() : value->Dump(), kMaxValueBytes);
}

void Shorten(Json* list, size_t limit) {
  if (list != nullptr && list->AsArray() != nullptr && list->size() > limit)
    list->AsArray()->resize(limit);
}

void ShowValues(std::string_view key, Json* changes) {
  Json* rows = changes->Find(key);
  changes->Set(std::string(key) + "_count", rows->size());
  Shorten(rows, kMaxRows);
  for (Json& row : *rows->AsArray()) {
    row.Set("before_text", ValueText(row.Find("before")));
    row.Set("after_text", ValueText(row.Find("after")));
  }
}

// "ns/name@0123456..." -> "ns/name@0123456"
std::string ShortName(const std::string& name) {
  constexpr size_t kShown = 7;
  size_t at = name.rfind('@');
  return at == std::string::npos ? name : name.substr(0, at + 1 + kShown);
}

bool HasWeights(const Json& changes, std::string_view key) {
  const Json* weights = changes.Find(key);
  return weights != nullptr && weights->is_object() && weights->StringField("name").has_value();
}

constexpr std::pair<std::string_view, std::string_view> kQuestions[] = {
    {"data", "Training data"},   {"weights", "Weights"},        {"precision", "Precision"},
    {"format", "File format"},   {"prompt", "Prompt template"}, {"licence", "Licence"},
    {"config", "Configuration"}, {"tokenizer", "Tokenizer"},
};

std::string_view TitleOf(std::string_view question) {
  for (const auto& [name, title] : kQuestions) {
    if (name == question) return title;
  }
  return question;
}

Json Shown(Context& context, const GitOid& to) {
  const hub::RepoRecord& repo = context.repo().record();
  Json changes = ChangesJson(context);
  Json answers = Json::Arr();
  size_t changed = 0;
  for (auto& [question, answer] : *changes.Find("answers")->AsObject()) {
    AddPlaceLinks(repo, to.Hex(), &answer, repo.type);
    answer.Set("title", TitleOf(question));
    changed += answer.StringField("answer") == "changed";
    answers.Push(answer);
  }
  changes.Set("answers", std::move(answers));
  changes.Set("changed", changed);
  changes.Set("from", ShortName(changes.RequireString("from")));
  changes.Set("to", ShortName(changes.RequireString("to")));
  Shorten(changes.Find("headers"), kMaxRows);
  ShowValues("config", &changes);
  ShowValues("generation_config", &changes);
  const Json* tokenizer = changes.Find("tokenizer");
  std::string text = tokenizer->size() > 0 ? Cut(tokenizer->Dump(1), kMaxTokenizerBytes) : "";
  changes.Set("tokenizer_text", std::move(text));
  Shorten(changes.Find("chat_template"), kMaxTemplateLines);
  changes.Set("weights", HasWeights(changes, "from_weights") && HasWeights(changes, "to_weights"));
  return changes;
}

}  // namespace

ChangesSection InspectChanges(Context& context, const GitOid& to) {
  std::string against(TrimAscii(context.request.QueryParam("against").value_or("")));
  if (against.empty()) return {};
  ChangesSection section;
  try {
    section.data = Shown(context, to);
  } catch (const Error& fault) {
    if (fault.code() != Code::kNotFound && fault.code() != Code::kInvalidArgument) throw;
    section.data = Json::Obj({{"fault", fault.message()}});
    section.status = HttpStatus(fault.code());
  }
  section.data.Set("against", against);
  return section;
}

}  // namespace hearth::server

#include "hub/inspector/kind/classify.h"

#include <algorithm>

#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

constexpr KindRule kRules[] = {
#define HEARTH_KIND(Name) Find##Name,
#include "hub/inspector/kind/kinds.inc"
#undef HEARTH_KIND
};

// More would be no help to a reader.
constexpr size_t kMaxEvidence = 12;
constexpr size_t kMaxReferences = 200;

void AddReference(Reference reference, Classification* result) {
  if (result->references.size() >= kMaxReferences) return;
  for (const Reference& known : result->references) {
    if (known.role == reference.role && known.id == reference.id) return;
  }
  result->references.push_back(std::move(reference));
}

// What a model names: its bases and data.
void ReadReferences(const Survey& survey, Classification* result) {
  if (survey.type() == "space" || result->Is("space")) return;
  const KindFinding* adapter = result->Find("adapter");
  if (adapter != nullptr) {
    std::string base = CardText(adapter->facts, "base_model_name_or_path");
    if (IsRepoId(base, false))
      AddReference({.role = "base_model",
                    .type = "model",
                    .id = base,
                    .revision = CardText(adapter->facts, "revision"),
                    .level = Level::kDeclared,
                    .evidence = At("adapter_config.json", "/base_model_name_or_path", base)},
                   result);
  }
  struct Key {
    const char* key;
    const char* role;
    const char* type;
  };
  for (const Key& key :
       {Key{"base_model", "base_model", "model"}, Key{"datasets", "dataset", "dataset"}}) {
    for (const std::string& id : CardList(survey.card().data, key.key)) {
      if (!IsRepoId(id, true)) continue;
      AddReference({.role = key.role,
                    .type = key.type,
                    .id = id,
                    .revision = "",
                    .level = Level::kDeclared,
                    .evidence = OnCard(survey, key.key, "named on the card")},
                   result);
    }
  }
}

// What others have proved outweighs what this repository says of itself.
void TakeKnown(const KnownRelations& known, Classification* result) {
  for (const KindFinding& kind : known.kinds) {
    for (const Evidence& evidence : kind.evidence) result->Add(kind.kind, kind.level, evidence);
    KindFinding* found = const_cast<KindFinding*>(result->Find(kind.kind));
    if (found == nullptr) continue;
    const Json::Object* facts = kind.facts.AsObject();
    for (size_t i = 0; facts != nullptr && i < facts->size(); ++i)
      found->facts.Set((*facts)[i].first, (*facts)[i].second);
  }
}

void SetType(const Survey& survey, Classification* result) {
  result->type = survey.type();
  result->type_said = !result->type.empty();
  if (result->type_said) return;
  if (result->Is("space")) {
    result->type = "space";
  } else if (result->Is("dataset")) {
    result->type = "dataset";
  } else if (!survey.weights().empty() || result->Is("tokenizer") || survey.config().is_object() ||
             result->Is("adapter")) {
    result->type = "model";
  }
}

// More files are compared by nobody.
constexpr size_t kMaxDigests = 500;

void TakeDigests(const Survey& survey, Classification* result) {
  for (const WeightFile& weight : survey.weights()) {
    const RepoFile* file = survey.repo().Find(weight.path);
    if (file == nullptr || !file->sha256 || result->weight_digests.size() == kMaxDigests) {
      result->weight_digests.clear();
      return;
    }
    result->weight_digests.push_back(file->sha256->Hex());
  }
}

Level ParseLevel(std::string_view name) {
  for (Level level : {Level::kProved, Level::kDeclared, Level::kInferred}) {
    if (LevelName(level) == name) return level;
  }
  return Level::kMissing;
}

Json EvidenceList(const std::vector<Evidence>& evidence) {
  Json list = Json::Arr();
  for (const Evidence& item : evidence) list.Push(ToJson(item));
  return list;
}

Evidence ParseEvidence(const Json& json) {
  return {.file = CardText(json, "file"),
          .place = CardText(json, "place"),
          .rule = CardText(json, "rule"),
          .repo = CardText(json, "repo")};
}

std::vector<Evidence> ParseEvidenceList(const Json* json) {
  std::vector<Evidence> list;
  if (json == nullptr || !json->is_array()) return list;
  for (const Json& item : *json->AsArray()) list.push_back(ParseEvidence(item));
  return list;
}

}  // namespace

const KindFinding* Classification::Find(std::string_view kind) const {
  for (const KindFinding& found : kinds) {
    if (found.kind == kind) return &found;
  }
  return nullptr;
}

KindFinding& Classification::Add(std::string_view kind, Level level, Evidence evidence) {
  auto found = std::find_if(kinds.begin(), kinds.end(),
                            [kind](const KindFinding& item) { return item.kind == kind; });
  if (found == kinds.end()) {
    found = kinds.insert(kinds.end(), KindFinding{});
    found->kind = std::string(kind);
    found->level = level;
  }
  found->level = std::min(found->level, level);
  if (found->evidence.size() < kMaxEvidence) found->evidence.push_back(std::move(evidence));
  return *found;
}

Alarm& Classification::Warn(std::string_view alarm, Level level, std::string message) {
  Alarm& added = alarms.emplace_back();
  added.alarm = std::string(alarm);
  added.level = level;
  added.message = std::move(message);
  return added;
}

Classification Classify(const RepoView& repo, const CardDocument& card,
                        const KnownRelations& known) {
  Survey survey(repo, card);
  Classification result;
  for (KindRule rule : kRules) rule(survey, &result);
  TakeKnown(known, &result);
  SetType(survey, &result);
  ReadReferences(survey, &result);
  TakeDigests(survey, &result);
  std::stable_sort(result.kinds.begin(), result.kinds.end(),
                   [](const KindFinding& a, const KindFinding& b) { return a.level < b.level; });
  result.not_read = survey.not_read();
  return result;
}

Json ToJson(const Classification& result) {
  Json kinds = Json::Arr();
  for (const KindFinding& kind : result.kinds) {
    kinds.Push(Json::Obj({{"value", kind.kind},
                          {"level", std::string(LevelName(kind.level))},
                          {"facts", kind.facts},
                          {"evidence", EvidenceList(kind.evidence)}}));
  }
  Json alarms = Json::Arr();
  for (const Alarm& alarm : result.alarms) {
    alarms.Push(Json::Obj({{"value", alarm.alarm},
                           {"level", std::string(LevelName(alarm.level))},
                           {"message", alarm.message},
                           {"evidence", EvidenceList(alarm.evidence)}}));
  }
  Json references = Json::Arr();
  for (const Reference& reference : result.references) {
    Json json =
        Json::Obj({{"role", reference.role}, {"type", reference.type}, {"id", reference.id}});
    if (!reference.revision.empty()) json.Set("revision", reference.revision);
    json.Set("level", std::string(LevelName(reference.level)));
    json.Set("state", std::string(StateName(reference.state)));
    json.Set("evidence", ToJson(reference.evidence));
    references.Push(std::move(json));
  }
  Json type = Json::Obj({{"value", result.type.empty() ? Json() : Json(result.type)},
                         {"level", result.type.empty() ? "missing"
                                   : result.type_said  ? "declared"
                                                       : "inferred"}});
  Json not_read = Json::Arr();
  for (const std::string& line : result.not_read) not_read.Push(line);
  return Json::Obj({{"type", std::move(type)},
                    {"kinds", std::move(kinds)},
                    {"alarms", std::move(alarms)},
                    {"references", std::move(references)},
                    {"not_read", std::move(not_read)}});
}

Json KeptJson(const Classification& result) {
  Json json = ToJson(result);
  if (!result.weight_digests.empty()) json.Set("weight_digests", Json(result.weight_digests));
  return json;
}

Classification ClassificationFromJson(const Json& json) {
  Classification result;
  if (const Json* type = json.Find("type")) {
    result.type = CardText(*type, "value");
    result.type_said = CardText(*type, "level") == "declared";
  }
  for (const Json& item : json.RequireArray("kinds")) {
    KindFinding& kind = result.kinds.emplace_back();
    kind.kind = item.RequireString("value");
    kind.level = ParseLevel(item.RequireString("level"));
    if (const Json* facts = item.Find("facts")) kind.facts = *facts;
    kind.evidence = ParseEvidenceList(item.Find("evidence"));
  }
  for (const Json& item : json.RequireArray("alarms")) {
    Alarm& alarm = result.alarms.emplace_back();
    alarm.alarm = item.RequireString("value");
    alarm.level = ParseLevel(item.RequireString("level"));
    alarm.message = item.RequireString("message");
    alarm.evidence = ParseEvidenceList(item.Find("evidence"));
  }
  for (const Json& item : json.RequireArray("references")) {
    Reference& reference = result.references.emplace_back();
    reference.role = item.RequireString("role");
    reference.type = item.RequireString("type");
    reference.id = item.RequireString("id");
    reference.revision = CardText(item, "revision");
    reference.level = ParseLevel(item.RequireString("level"));
    if (const Json* evidence = item.Find("evidence")) reference.evidence = ParseEvidence(*evidence);
  }
  result.not_read = CardList(json, "not_read");
  result.weight_digests = CardList(json, "weight_digests");
  return result;
}

}  // namespace hearth::inspector

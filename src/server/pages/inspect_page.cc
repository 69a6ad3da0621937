// What the inspector says of a repository, section by section, each with its evidence. What is kept
// of its readings is rendered here in full; of what is looked up anew for each caller (rights,
// origin, runtimes, memory, scans) the rows that a comparison would show, until the page's script
// draws the whole answer of the API. Everything is of one commit, main's or ?revision=.
#include <algorithm>

#include "hub/inspector/compare/comparison.h"
#include "server/inspector_api/known_kinds.h"
#include "server/inspector_api/own_hardware.h"
#include "server/inspector_api/portraits.h"
#include "server/inspector_api/revision.h"
#include "server/pages/compare_places.h"
#include "server/pages/inspect_changes.h"
#include "server/pages/inspect_sections.h"
#include "server/pages/repo_view.h"

namespace hearth::server {
namespace {

// "adapter_only" -> "adapter only"
std::string Plain(std::string text) {
  for (char& letter : text) {
    if (letter == '_' || letter == '-') letter = ' ';
  }
  return text;
}

void LinkPlaces(const Context& context, const std::string& commit, Json* list) {
  if (list == nullptr || list->AsArray() == nullptr) return;
  for (Json& item : *list->AsArray()) AddPlaceLinks(context.repo().record(), commit, &item);
}

// "method gptq, bits 4"
std::string FactsText(const Json* facts) {
  const Json::Object* object = facts == nullptr ? nullptr : facts->AsObject();
  if (object == nullptr) return {};
  std::string text;
  for (const auto& [key, value] : *object) {
    const std::string* words = value.AsString();
    text +=
        (text.empty() ? "" : ", ") + Plain(key) + " " + (words != nullptr ? *words : value.Dump());
  }
  return text;
}

Json Kinds(const Context& context, const hub::KeptReading& kept, const GitOid& head) {
  std::string commit = head.Hex();
  inspector::Classification kinds = KnownKinds(context, context.repo(), head, kept);
  Json json = inspector::ToJson(kinds);
  LinkPlaces(context, commit, json.Find("kinds"));
  LinkPlaces(context, commit, json.Find("alarms"));
  for (Json& kind : *json.Find("kinds")->AsArray())
    kind.Set("facts_text", FactsText(kind.Find("facts")));
  size_t here = 0;
  for (Json& reference : *json.Find("references")->AsArray()) {
    std::string type = reference.StringField("type").value_or("");
    bool found = reference.StringField("state") != "not_here";
    here += found;
    std::string prefix = type == "dataset" ? "/datasets/" : type == "space" ? "/spaces/" : "/";
    reference.Set("href", found ? prefix + reference.StringField("id").value_or("") : "");
  }
  json.Set("here", here);
  return json;
}

// Where the card is read: that of main on the repository's own page.
std::string CardPath(const Context& context, const GitOid& commit) {
  const hub::RepoRecord& record = context.repo().record();
  std::string path = RepoPath(record);
  if (record.head != commit) path += "/blob/" + commit.Hex() + "/README.md";
  return net::PercentEncode(path, "/");
}

// Where a step's "jump" leads to.
std::string JumpTo(const Context& context, const GitOid& commit, const Json& step) {
  const Json* jump = step.Find("jump");
  std::string where = jump == nullptr ? "" : jump->StringField("where").value_or("");
  if (where.empty()) return {};
  std::string path = RepoPath(context.repo().record());
  if (where == "files") {
    bool main = context.repo().record().head == commit;
    return net::PercentEncode(path + "/tree/" + (main ? "main" : commit.Hex()), "/");
  }
  if (where != "card") return net::PercentEncode(path + "/blob/" + commit.Hex() + "/" + where, "/");
  constexpr std::string_view kPrefix = "user-content-";
  std::string anchor = jump->StringField("anchor").value_or("");
  if (anchor.starts_with(kPrefix)) anchor.erase(0, kPrefix.size());
  return CardPath(context, commit) +
         (anchor.empty() ? "" : "#user-content-" + net::PercentEncode(anchor));
}

Json Order(const Context& context, const hub::KeptReading& kept, const GitOid& commit) {
  Json order = kept.reading_order;
  LinkPlaces(context, commit.Hex(), order.Find("steps"));
  LinkPlaces(context, commit.Hex(), order.Find("note"));
  if (Json* steps = order.Find("steps"); steps != nullptr && steps->AsArray() != nullptr) {
    for (Json& step : *steps->AsArray()) step.Set("href", JumpTo(context, commit, step));
  }
  return order;
}

Json Score(const Context& context, const hub::KeptReading& kept, const GitOid& commit) {
  Json score = kept.card_score;
  LinkPlaces(context, commit.Hex(), score.Find("rows"));
  score.Set("path", CardPath(context, commit));
  return score;
}

// Group of the comparison -> its rows.
Json RowsByGroup(const Context& context, const GitOid& commit) {
  std::vector<inspector::Device> devices = OwnHardware(context);
  devices.resize(std::min(devices.size(), inspector::kMaxPortraitDevices));
  std::vector<inspector::Portrait> portraits = {
      PortraitOf(context, {context.repo(), commit}, devices)};
  Json comparison = inspector::ToJson(inspector::Compare(portraits), portraits);
  Json groups = Json::Obj();
  for (Json& group : *comparison.Find("groups")->AsArray()) {
    Json rows = Json::Arr();
    for (Json& row : *group.Find("rows")->AsArray()) {
      Json& cell = (*row.Find("cells")->AsArray())[0];
      AddPlaceLinks(context.repo().record(), commit.Hex(), &cell);
      rows.Push(Json::Obj({{"title", row.StringField("title").value_or("")}, {"cell", cell}}));
    }
    groups.Set(group.StringField("group").value_or(""), std::move(rows));
  }
  return groups;
}

Json Sections(const Context& context) {
  Json sections = Json::Arr();
  for (const InspectSection* section : InspectSections(context.repo().record().type)) {
    Json groups = Json::Arr();
    for (const char* group : section->groups) {
      if (group != nullptr) groups.Push(group);
    }
    sections.Push(Json::Obj({{"what", section->what},
                             {"title", section->title},
                             {"icon", section->icon},
                             {"about", section->about},
                             {"groups", std::move(groups)}}));
  }
  return sections;
}

net::Response InspectPage(Context& context) {
  std::string asked = context.request.QueryParam("revision").value_or("");
  std::optional<GitOid> commit = context.repo().record().head;
  if (!asked.empty()) commit = RevisionOf(context);
  std::string revision = asked.empty() ? "main" : asked;
  Json data = RepoPageData(context, "inspect", revision, HeadFacts(context).get());
  data.Set("sections", Sections(context));
  if (!commit) return RenderPage(context, "repo_inspect.html", std::move(data));
  hub::KeptReadingPtr kept = context.hub.inspections().Of(context.repo(), *commit);
  ChangesSection changes = InspectChanges(context, *commit);
  data.Set("head", commit->Hex());
  data.Set("asked", asked);
  data.Set("is_main", commit == context.repo().record().head);
  data.Set("kinds", Kinds(context, *kept, *commit));
  data.Set("order", Order(context, *kept, *commit));
  data.Set("score", Score(context, *kept, *commit));
  data.Set("rows", RowsByGroup(context, *commit));
  data.Set("changes", std::move(changes.data));
  return RenderPage(context, "repo_inspect.html", std::move(data), changes.status);
}

}  // namespace

void RegisterInspectPage(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{P}{ns}/{name}/inspect",
             .access = Access::kRepoContent,
             .handle = InspectPage,
             .surface = Surface::kPage,
             .summary = "What the inspector says of a repository, with evidence."});
}

}  // namespace hearth::server

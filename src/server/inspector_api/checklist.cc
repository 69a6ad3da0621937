// GET, PUT, DELETE /api/hearth/{T}/{ns}/{name}/checklist: fourteen questions, what the inspector
// found, and what the caller wrote.
#include "server/inspector_api/checklist.h"

#include "base/error.h"
#include "hub/checklists.h"
#include "server/inspector_api/inspected.h"
#include "server/inspector_api/own_hardware.h"
#include "server/inspector_api/portraits.h"

namespace hearth::server {
namespace {

// Fourteen answers of kMaxAnswerBytes, escaped.
constexpr uint64_t kMaxBody = 256 << 10;

hub::ChecklistKey KeyOf(const Context& context, const GitOid& commit) {
  return {context.actor.user_id, context.repo().record().id, commit};
}

void RequireWriter(const hub::Actor& actor) {
  if (!actor.signed_in()) throw Error(Code::kUnauthenticated, "Sign in to keep answers.");
  if (!hub::TokenMayWrite(actor))
    throw Error(Code::kForbidden, "This token may only read: use a token with write permission");
}

net::Response Show(Context& context) {
  Json json = ChecklistJson(context);
  net::Response response = JsonResponse(json);
  response.headers.Set("X-Repo-Commit", json.RequireString("commit"));
  response.headers.Set("Cache-Control", "private, no-store");
  return response;
}

net::Response Put(Context& context) {
  RequireWriter(context.actor);
  Json body = context.JsonBody();
  const Json* answers = body.Find("answers");
  if (answers == nullptr)
    throw Error(Code::kInvalidArgument, "the body must be {\"answers\": {field: {text, checked}}}");
  SaveAnswers(context, inspector::ParseAnswers(*answers), body.IntField("version"));
  return Show(context);
}

net::Response Forget(Context& context) {
  RequireWriter(context.actor);
  SaveAnswers(context, {}, std::nullopt);
  return Show(context);
}

}  // namespace

Json ChecklistJson(Context& context) {
  const hub::RepoRecord& record = context.repo().record();
  GitOid commit = InspectedCommit(context);
  // "The machine that you have": a usual one stands in for nobody's.
  std::vector<inspector::Device> devices;
  if (context.request.QueryParam("device") || !OwnHardware(context).empty())
    devices = AskedDevices(context);
  inspector::Portrait portrait = PortraitOf(context, {context.repo(), commit}, devices);
  std::vector<inspector::ChecklistField> fields = inspector::FillChecklist(portrait);
  std::optional<hub::SavedChecklist> saved, earlier;
  if (context.actor.signed_in()) {
    saved = hub::FindChecklist(context.hub.db(), KeyOf(context, commit));
    if (!saved) earlier = hub::FindEarlierChecklist(context.hub.db(), KeyOf(context, commit));
  }
  inspector::Answers answers = saved ? saved->answers : inspector::Answers{};
  inspector::Progress progress = inspector::ProgressOf(fields, answers);
  Json json = Json::Obj({{"type", hub::SingularName(record.type)},
                         {"id", record.FullName()},
                         {"commit", commit.Hex()},
                         {"spec", inspector::SpecOf(portrait.type, portrait.id, portrait.commit)},
                         {"fields", inspector::ToJson(fields, answers)},
                         {"progress", Json::Obj({{"filled", progress.filled},
                                                 {"checked", progress.checked},
                                                 {"of", inspector::kChecklistFields}})},
                         {"version", saved ? saved->version : 0}});
  json.Set("updatedAt", saved ? Json(FormatIso8601(saved->updated_at)) : Json());
  json.Set("mayEdit", context.actor.signed_in() && hub::TokenMayWrite(context.actor));
  Json before;
  if (earlier) {
    before = Json::Obj({{"commit", earlier->commit.Hex()},
                        {"updatedAt", FormatIso8601(earlier->updated_at)},
                        {"answers", inspector::ToJson(earlier->answers)}});
  }
  json.Set("earlier", std::move(before));
  return json;
}

void SaveAnswers(Context& context, const inspector::Answers& answers,
                 std::optional<int64_t> expected) {
  RequireWriter(context.actor);
  hub::SaveChecklist(context.hub.db(), KeyOf(context, InspectedCommit(context)), answers, expected,
                     context.hub.clock().Now());
}

void RegisterChecklist(RouteTable& table) {
  auto add = [&table](const char* methods, Handler handle, const char* summary) {
    table.Add({.methods = methods,
               .pattern = "/api/hearth/{T}/{ns}/{name}/checklist",
               .access = Access::kRepoContent,
               .handle = std::move(handle),
               .body = {.max_bytes = kMaxBody, .memory_bytes = kMaxBody},
               .summary = summary});
  };
  add("GET,HEAD", Show,
      "Fourteen questions on a repository, with findings and the caller's answers.");
  add("PUT", Put, "Keeps the caller's answers to the checklist, for them alone.");
  add("DELETE", Forget, "Forgets the caller's answers to the checklist.");
}

}  // namespace hearth::server

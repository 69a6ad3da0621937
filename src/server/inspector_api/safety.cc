// GET /api/hearth/{T}/{ns}/{name}/safety: what scans found, file by file; and how far the scans
// are.
#include "base/error.h"
#include "server/inspector_api/revision.h"
#include "server/inspector_api/safety_json.h"
#include "server/route.h"

namespace hearth::server {
namespace {

using hub::SafetyState;

constexpr size_t kMaxFiles = 10'000;

Json FileJson(const hub::Sibling& file, const hub::FileSafety& safety) {
  Json json = Json::Obj({{"path", file.path},
                         {"size", file.size_bytes},
                         {"state", hub::SafetyStateName(safety.state)}});
  if (safety.rules > 0) {
    json.Set("rules", safety.rules);
    json.Set("scannedAt", FormatIso8601(safety.scanned_at));
  }
  if (!safety.error.empty()) {
    json.Set("error", safety.error);
  } else if (safety.report.is_object()) {
    Json report = ReportFor(safety.report, file.path);
    for (auto& [key, value] : *report.AsObject()) json.Set(key, std::move(value));
  }
  return json;
}

net::Response RepoSafety(Context& context) {
  GitOid commit = RevisionOf(context);
  hub::Safety& safety = context.hub.safety();
  hub::FactsPtr facts = context.hub.catalog().FactsOf(context.repo(), commit);
  bool cut = facts->siblings.size() > kMaxFiles;
  size_t count = std::min(facts->siblings.size(), kMaxFiles);
  std::vector<hub::SafetyKey> keys;
  for (size_t i = 0; i < count; ++i) keys.push_back(hub::SafetyKeyOf(facts->siblings[i]));
  auto found = safety.Find(context.repo().record(), keys, hub::Safety::Detail::kReports);

  Json files = Json::Arr();
  Json counts = Json::Obj();
  std::vector<hub::SafetyKey> wanted;
  for (size_t i = 0; i < count; ++i) {
    std::string name(hub::SafetyStateName(found[i].state));
    counts.Set(name, counts.IntField(name).value_or(0) + 1);
    files.Push(FileJson(facts->siblings[i], found[i]));
    // A commit that no ref shows any longer: looked at because somebody looks.
    if (found[i].state == SafetyState::kUnknown) wanted.push_back(keys[i]);
  }
  safety.Want(context.repo().record(), wanted);
  net::Response response = JsonResponse(Json::Obj({{"commit", commit.Hex()},
                                                   {"policy", hub::QuarantineName(safety.policy())},
                                                   {"rules", hub::kSafetyRules},
                                                   {"counts", std::move(counts)},
                                                   {"cut", cut},
                                                   {"files", std::move(files)}}));
  response.headers.Set("X-Repo-Commit", commit.Hex());
  return response;
}

net::Response ScanQueue(Context& context) {
  hub::SafetyQueue queue = context.hub.safety().Queue();
  Json json = Json::Obj({{"policy", hub::QuarantineName(context.hub.safety().policy())},
                         {"rules", hub::kSafetyRules},
                         {"queued", queue.queued},
                         {"scanning", queue.scanning},
                         {"refsWaiting", queue.refs_waiting},
                         {"safe", queue.safe},
                         {"caution", queue.caution},
                         {"suspicious", queue.suspicious},
                         {"unsafe", queue.unsafe},
                         {"error", queue.error}});
  json.Set("oldestQueuedAt",
           queue.oldest_queued ? Json(FormatIso8601(*queue.oldest_queued)) : Json());
  return JsonResponse(json);
}

}  // namespace

void RegisterSafety(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/hearth/{T}/{ns}/{name}/safety",
             .access = Access::kRepoContent,
             .handle = RepoSafety,
             .summary = "What scans found in each file, with the evidence."});
  table.Add(
      {.methods = "GET,HEAD",
       .pattern = "/api/hearth/scan-queue",
       .access = Access::kSiteAdmin,
       .handle = ScanQueue,
       .summary = "How many contents wait for a scan, and what the others turned out to be."});
}

}  // namespace hearth::server

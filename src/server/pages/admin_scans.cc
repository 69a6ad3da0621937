// The administration of scans: how far they are, and what they warn of.
#include "server/inspector_api/safety_json.h"
#include "server/pages/form_page.h"

namespace hearth::server {
namespace {

constexpr size_t kShown = 100;
constexpr size_t kMaxFindings = 5;

// The path of the content at the head of the repository; empty when it lies in another revision.
std::string PathOf(hub::Hub& hub, const hub::RepoPtr& repo, const hub::FlaggedContent& flagged) {
  if (!repo->head) return {};
  hub::FactsPtr facts = hub.catalog().FactsOf(hub.repos().OpenAsSystem(repo), *repo->head);
  for (const hub::Sibling& file : facts->siblings) {
    hub::SafetyKey key = hub::SafetyKeyOf(file);
    if (key.content == flagged.content && key.kind == flagged.kind) return file.path;
  }
  return {};
}

Json FlaggedRow(hub::Hub& hub, const hub::FlaggedContent& flagged, TimePoint now) {
  hub::RepoPtr repo = hub.repos().FindById(flagged.repo_id);
  std::string path = repo == nullptr ? "" : PathOf(hub, repo, flagged);
  return Json::Obj({{"state", hub::SafetyStateName(flagged.safety.state)},
                    {"repo", repo == nullptr ? "" : repo->FullName()},
                    {"repo_path", repo == nullptr ? "" : RepoPath(*repo)},
                    {"path", path},
                    {"kind", flagged.kind},
                    {"size", flagged.size_bytes},
                    {"scanned", Ago(flagged.safety.scanned_at, now)},
                    {"error", flagged.safety.error},
                    {"findings", FirstFindings(flagged.safety.report, path, kMaxFindings)}});
}

net::Response ScansPage(Context& context) {
  hub::Hub& hub = context.hub;
  TimePoint now = hub.clock().Now();
  hub::SafetyQueue queue = hub.safety().Queue();
  Json rows = Json::Arr();
  for (const hub::FlaggedContent& flagged : hub.safety().Flagged(kShown))
    rows.Push(FlaggedRow(hub, flagged, now));
  Json counts = Json::Obj({{"waiting", queue.queued + queue.scanning},
                           {"refs", queue.refs_waiting},
                           {"safe", queue.safe},
                           {"caution", queue.caution},
                           {"suspicious", queue.suspicious},
                           {"unsafe", queue.unsafe},
                           {"error", queue.error}});
  if (queue.oldest_queued) counts.Set("oldest", Ago(*queue.oldest_queued, now));
  return RenderPage(context, "admin_scans.html",
                    Json::Obj({{"tab", "scans"},
                               {"policy", hub::QuarantineName(hub.safety().policy())},
                               {"counts", std::move(counts)},
                               {"shown_at_most", kShown},
                               {"rows", std::move(rows)}}));
}

net::Response ScanAgain(Context& context) {
  RequireSession(context);
  context.hub.safety().ScanFailedAgain();
  return GoTo("/administration/scans", "again");
}

}  // namespace

void RegisterAdminScans(RouteTable& table) {
  AddFormRoute(table, {"GET,HEAD", "/administration/scans", Access::kSiteAdmin, ScansPage,
                       "How far scans of files are, and what they warn of."});
  AddFormRoute(table, {"POST", "/administration/scans", Access::kSiteAdmin, ScanAgain,
                       "Scans again what could not be read."});
}

}  // namespace hearth::server

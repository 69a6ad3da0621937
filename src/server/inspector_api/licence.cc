// GET /api/hearth/{T}/{ns}/{name}/licence: what a repository may be used for, with evidence.
#include "hub/inspector/licences/licence.h"

#include "hub/inspector/licences/licence_report.h"
#include "hub/repo_view.h"
#include "server/inspector_api/revision.h"
#include "server/route.h"

namespace hearth::server {
namespace {

net::Response Licence(Context& context) {
  GitOid commit = RevisionOf(context);
  hub::Hub& hub = context.hub;
  std::unique_ptr<inspector::RepoView> view =
      hub::OpenRepoView(context.repo(), hub.objects(), commit);
  hub::HubNeighbours neighbours(hub.repos(), hub.objects(), context.actor);
  Json report = inspector::LicenceReport(*view, neighbours);
  report.Set("commit", commit.Hex());
  net::Response response = JsonResponse(report);
  response.headers.Set("X-Repo-Commit", commit.Hex());
  return response;
}

net::Response Licences(Context&) {
  Json rows = Json::Arr();
  for (const inspector::Licence& licence : inspector::AllLicences())
    rows.Push(inspector::ToJson(licence));
  return JsonResponse(
      Json::Obj({{"banner", inspector::kLicenceBanner}, {"licences", std::move(rows)}}));
}

}  // namespace

void RegisterLicence(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/hearth/{T}/{ns}/{name}/licence",
             .access = Access::kRepoContent,
             .handle = Licence,
             .summary = "Licence: what is said, whether it agrees, what holds over the chain."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/hearth/licences",
             .access = Access::kPublic,
             .handle = Licences,
             .summary = "Every licence id that cards know, with its class and duties."});
}

}  // namespace hearth::server

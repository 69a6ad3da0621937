#include "server/inspector_api/known_kinds.h"

#include <algorithm>

#include "base/error.h"
#include "hub/inspector/provenance/origins.h"
#include "hub/repo_view.h"
#include "hub/tensor_index.h"

namespace hearth::server {
namespace {

// Bytes have no direction; which repository was made first the hub knows.
bool WasHereBefore(const Context& context, const inspector::OriginEdge& edge,
                   const hub::RepoRecord& record) {
  std::string id = edge.to.substr(0, edge.to.find('@'));
  size_t slash = id.find('/');
  std::optional<hub::RepoType> type =
      hub::ParseRepoType(edge.details.StringField("type").value_or("model"));
  if (slash == std::string::npos || !type) return false;
  hub::RepoPtr other = context.hub.repos().Find(*type, id.substr(0, slash), id.substr(slash + 1));
  return other != nullptr && other->created_at < record.created_at;
}

}  // namespace

inspector::Classification KnownKinds(const Context& context, const hub::RepoHandle& repo,
                                     const GitOid& commit, const hub::KeptReading& reading) {
  inspector::Classification kinds = reading.kinds;
  hub::Hub& hub = context.hub;
  hub::HubNeighbours neighbours(hub.repos(), hub.objects(), context.actor);
  inspector::Resolve(repo.record().FullName(), neighbours, &kinds);
  if (repo.record().type != hub::RepoType::kModel) return kinds;
  std::unique_ptr<inspector::RepoView> view = hub::OpenRepoView(repo, hub.objects(), commit);
  hub::CallerTensors tensors(hub.tensors(), hub.repos(), context.actor, repo.record());
  inspector::OriginsInput input;
  input.view = view.get();
  input.stored = &tensors;
  input.join = &tensors;
  for (const inspector::OriginEdge& edge : inspector::FindOrigins(input).edges) {
    if (edge.relation != "copy" || !WasHereBefore(context, edge, repo.record())) continue;
    for (inspector::Evidence evidence : edge.finding.evidence)
      kinds.Add("copy", inspector::Level::kProved, std::move(evidence));
  }
  std::stable_sort(kinds.kinds.begin(), kinds.kinds.end(),
                   [](const inspector::KindFinding& a, const inspector::KindFinding& b) {
                     return a.level < b.level;
                   });
  return kinds;
}

}  // namespace hearth::server

// GET /api/hearth/{T}/{ns}/{name}/provenance: where the weights come from, as a graph.
#include "hub/inspector/provenance/origins.h"

#include "hub/repo_view.h"
#include "hub/tensor_index.h"
#include "server/inspector_api/inspected.h"

namespace hearth::server {
namespace {

net::Response Provenance(Context& context) {
  std::unique_ptr<inspector::RepoView> view = InspectedView(context);
  hub::HubNeighbours neighbours(context.hub.repos(), context.hub.objects(), context.actor);
  hub::CallerTensors tensors(context.hub.tensors(), context.hub.repos(), context.actor,
                             context.repo().record());
  inspector::OriginsInput input;
  input.view = view.get();
  input.stored = &tensors;
  input.join = &tensors;
  input.neighbours = &neighbours;
  return JsonResponse(inspector::ToJson(inspector::FindOrigins(input)));
}

}  // namespace

void RegisterProvenance(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/hearth/{T}/{ns}/{name}/provenance",
             .access = Access::kRepoContent,
             .handle = Provenance,
             .summary = "Where the weights come from: copies, shared tensors, declared bases."});
}

}  // namespace hearth::server

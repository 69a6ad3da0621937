// GET /api/hearth/{T}/{ns}/{name}/changes?against=: what changed, from headers and small files.
// POST, GET, DELETE .../changes/weights?against=: the weights themselves, read by a job.
#include "server/inspector_api/changes.h"

#include "base/error.h"
#include "hub/inspector/provenance/adapter_strength.h"
#include "hub/inspector/provenance/changes.h"
#include "hub/inspector/provenance/weight_diff.h"
#include "hub/tensor_index.h"
#include "hub/weight_jobs.h"
#include "server/inspector_api/inspected.h"

namespace hearth::server {
namespace {

// Comparisons that may wait; of people who are not signed in fewer, as nobody can be asked to stop.
constexpr size_t kWaiting = 32;
constexpr size_t kWaitingAnonymous = 4;

// Both sides of a comparison; the views live as long as it.
struct Comparison {
  std::unique_ptr<inspector::RepoView> from_view, to_view;
  std::unique_ptr<inspector::ComparedRepo> from, to;

  explicit Comparison(Context& context)
      : from_view(AgainstView(context)), to_view(InspectedView(context)) {
    hub::CallerTensors tensors(context.hub.tensors(), context.hub.repos(), context.actor,
                               context.repo().record());
    const net::Request& request = context.request;
    from = inspector::PrepareRepo(*from_view, &tensors,
                                  request.QueryParam("against_file").value_or(""));
    to = inspector::PrepareRepo(*to_view, &tensors, request.QueryParam("file").value_or(""));
  }

  std::string Key() const {
    auto side = [](const inspector::ComparedRepo& repo) {
      return repo.view->type() + " " + repo.Name() + " " + (repo.set ? repo.set->name : "");
    };
    return side(*from) + "\n" + side(*to);
  }
};

net::Response Changes(Context& context) { return JsonResponse(ChangesJson(context)); }

net::Response StatusResponse(const hub::WeightJobStatus& status) {
  Json json = Json::Obj({{"state", hub::WeightJobStateName(status.state)},
                         {"done", status.done},
                         {"total", status.total}});
  if (!status.reason.empty()) json.Set("reason", status.reason);
  if (status.state == hub::WeightJobState::kDone) json.Set("result", status.result);
  bool open =
      status.state == hub::WeightJobState::kQueued || status.state == hub::WeightJobState::kRunning;
  net::Response response = JsonResponse(json, open ? 202 : 200);
  response.headers.Set("Cache-Control", "no-store");
  return response;
}

net::Response StartWeights(Context& context) {
  auto comparison = std::make_shared<Comparison>(context);
  if (!comparison->from->set || !comparison->to->set)
    throw Error(Code::kUnprocessable, "One of the two has no weights that are read here.");
  hub::WeightJobs::Work work;
  work.total = comparison->to->headers.parameters;
  work.run = [comparison](const inspector::ScanHooks& hooks) {
    const inspector::ComparedRepo &from = *comparison->from, &to = *comparison->to;
    if (to.set->is_adapter && !from.set->is_adapter) {
      Json adapter = inspector::ToJson(inspector::MeasureAdapter(from, to, hooks));
      return Json::Obj({{"adapter", std::move(adapter)}});
    }
    inspector::TensorPairs pairs = inspector::PairTensors(from.side, to.side);
    return inspector::ToJson(
        inspector::MeasureDistance({from.view, from.side}, {to.view, to.side}, pairs, hooks));
  };
  bool signed_in = context.actor.user_id != 0;
  return StatusResponse(context.hub.weight_jobs().Start(comparison->Key(), std::move(work),
                                                        signed_in ? kWaiting : kWaitingAnonymous));
}

net::Response WeightsStatus(Context& context) {
  return StatusResponse(context.hub.weight_jobs().StatusOf(Comparison(context).Key()));
}

net::Response CancelWeights(Context& context) {
  std::string key = Comparison(context).Key();
  context.hub.weight_jobs().Cancel(key);
  return StatusResponse(context.hub.weight_jobs().StatusOf(key));
}

}  // namespace

Json ChangesJson(Context& context) {
  Comparison comparison(context);
  Json answer = inspector::ToJson(inspector::FindChanges(*comparison.from, *comparison.to));
  hub::WeightJobStatus status = context.hub.weight_jobs().StatusOf(comparison.Key());
  answer.Set("weight_diff", Json::Obj({{"state", hub::WeightJobStateName(status.state)}}));
  return answer;
}

void RegisterChanges(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/hearth/{T}/{ns}/{name}/changes",
             .access = Access::kRepoContent,
             .handle = Changes,
             .summary = "What changed against another repository or revision."});
  std::string weights = "/api/hearth/{T}/{ns}/{name}/changes/weights";
  table.Add({.methods = "POST",
             .pattern = weights,
             .access = Access::kRepoContent,
             .handle = StartWeights,
             .summary = "Starts reading and comparing the weights."});
  table.Add({.methods = "GET,HEAD",
             .pattern = weights,
             .access = Access::kRepoContent,
             .handle = WeightsStatus,
             .summary = "How far a comparison of weights is, and its result."});
  table.Add({.methods = "DELETE",
             .pattern = weights,
             .access = Access::kRepoWrite,
             .handle = CancelWeights,
             .summary = "Stops a comparison of weights."});
}

}  // namespace hearth::server

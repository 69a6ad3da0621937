// GET /api/models/{id}/inference: state, progress and reasons. POST .../inference/{action}: warm,
// unload, pin, unpin. GET /api/inference/loaded: all models that are loaded or loading.
#include "server/inference_api/model_status.h"

#include "base/error.h"
#include "hub/model_judge.h"

namespace hearth::server {
namespace {

hub::FactsPtr FactsAtHead(const Context& context, const hub::RepoHandle& repo) {
  const std::optional<GitOid>& head = repo.record().head;
  return head ? context.hub.catalog().FactsOf(repo, *head) : nullptr;
}

void AddState(const inference::ModelStatus& status, Json* answer) {
  answer->Set("state", inference::StateName(status.state));
  if (status.state == inference::ModelState::kLoading) answer->Set("progress", status.progress);
  bool waits = status.state == inference::ModelState::kCold ||
               status.state == inference::ModelState::kLoading;
  if (waits) answer->Set("estimated_time", status.estimated_seconds);
  if (!status.reason.empty()) answer->Set("reason", status.reason);
  answer->Set("memory_bytes", status.memory_bytes);
  answer->Set("active_requests", status.active_requests);
  answer->Set("queued_requests", status.queued_requests);
  answer->Set("pinned", status.pinned);
}

net::Response Status(Context& context) {
  net::Response response = JsonResponse(ModelStatusJson(context, context.repo()));
  response.headers.Set("Cache-Control", "no-store");
  return response;
}

net::Response Act(Context& context) {
  std::string action = context.request.Capture("action");
  bool pins = action == "pin" || action == "unpin";
  if (!pins && action != "warm" && action != "unload")
    throw Error(Code::kNotFound, "Unknown action: warm, unload, pin or unpin");
  if (context.scheduler == nullptr)
    throw Error(Code::kUnavailable, "This hub was started without running models");
  // What is pinned takes memory from everybody.
  if (pins && !context.actor.site_admin)
    throw Error(Code::kForbidden, "Only an administrator of this hub may pin models");
  if (action == "unload") {
    context.scheduler->Unload(context.repo());
  } else if (pins) {
    context.scheduler->Pin(context.repo(), action == "pin");
  } else {
    hub::FactsPtr facts = FactsAtHead(context, context.repo());
    if (facts == nullptr || !facts->run.runs()) {
      throw Error(Code::kUnprocessable,
                  "This model cannot run here: " +
                      (facts == nullptr ? "it has no files" : facts->run.reason));
    }
    context.scheduler->Warm(context.repo());
  }
  return Status(context);
}

net::Response Loaded(Context& context) {
  Json models = Json::Arr();
  uint64_t used = 0;
  if (context.scheduler != nullptr) {
    for (const auto& [id, status] : context.scheduler->Loaded()) {
      hub::RepoPtr repo = context.hub.repos().FindById(id);
      if (repo == nullptr) continue;
      Json row = Json::Obj({{"id", repo->FullName()}});
      AddState(status, &row);
      used += status.memory_bytes;
      models.Push(std::move(row));
    }
  }
  uint64_t budget = context.scheduler == nullptr ? 0 : context.scheduler->memory_budget_bytes();
  return JsonResponse(Json::Obj(
      {{"models", std::move(models)}, {"memory_bytes", used}, {"memory_budget_bytes", budget}}));
}

}  // namespace

Json ModelStatusJson(const Context& context, const hub::RepoHandle& repo) {
  hub::FactsPtr facts = FactsAtHead(context, repo);
  Json answer = Json::Obj({{"state", "off"}, {"tasks", Json::Arr()}});
  if (context.scheduler == nullptr || !context.hub.catalog().judges()) {
    answer.Set("reason", "this hub runs no models");
    return answer;
  }
  if (facts == nullptr || !facts->run.runs()) {
    answer.Set("state", "unsupported");
    answer.Set("reason", facts == nullptr ? "it has no files" : facts->run.reason);
    return answer;
  }
  answer.Set("tasks", Json(facts->run.tasks));
  answer.Set("task", hub::OfferedTask(facts->run.tasks, facts->pipeline_tag));
  AddState(context.scheduler->StatusOf(repo.record()), &answer);
  return answer;
}

void RegisterModelStatus(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/models/{ns}/{name}/inference",
             .access = Access::kRepoInfo,
             .handle = Status,
             .type = hub::RepoType::kModel,
             .summary = "Whether a model runs here, for which tasks, and how far it is loaded."});
  table.Add({.methods = "POST",
             .pattern = "/api/models/{ns}/{name}/inference/{action}",
             .access = Access::kRepoAdmin,
             .handle = Act,
             .type = hub::RepoType::kModel,
             .summary = "Loads, unloads, pins or unpins a model."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/inference/loaded",
             .access = Access::kSiteAdmin,
             .handle = Loaded,
             .summary = "All models that are loaded or loading, with their memory."});
}

}  // namespace hearth::server

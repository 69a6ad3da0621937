// The administration of the store: who takes how much, the trash, what rots; and the jobs: long
// work that can be asked for here, queues, and the models that run.
#include <algorithm>
#include <chrono>
#include <memory>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/storage_use.h"
#include "server/pages/form_page.h"
#include "server/surroundings.h"
#include "storage/xet/xorb_form.h"

namespace hearth::server {
namespace {

constexpr size_t kShown = 100;

Json UseRow(std::string name, std::string path, const hub::StorageUse& use) {
  return Json::Obj({{"name", std::move(name)},
                    {"path", std::move(path)},
                    {"nominal", use.nominal_bytes},
                    {"stored", use.stored_bytes},
                    {"shared", use.shared_bytes}});
}

Json TrashRows(Context& context) {
  Json rows = Json::Arr();
  TimePoint now = context.hub.clock().Now();
  for (const hub::GcRun& run : hub::ListGcRuns(context.hub)) {
    if (rows.size() >= kShown) break;
    rows.Push(
        Json::Obj({{"id", run.id},
                   {"state", run.state},
                   {"started", Ago(run.started_at, now)},
                   {"entries", run.entries},
                   {"bytes", run.bytes},
                   {"undoable", run.entries > 0 && (run.state == "done" || run.state == "stopped" ||
                                                    run.state == "undoing")}}));
  }
  return rows;
}

Json QuarantineRows(Context& context) {
  Json rows = Json::Arr();
  TimePoint now = context.hub.clock().Now();
  context.hub.db().Read([&](storage::Connection& c) {
    c.Query("SELECT kind, hash, found_at, reason FROM quarantine ORDER BY found_at DESC LIMIT ?",
            {static_cast<int64_t>(kShown)}, [&](const storage::Row& row) {
              bool is_object = row.Int(0) == 0;
              std::string name = is_object ? HexEncode(row.Text(1))
                                           : storage::XorbForm::FromKey(row.Text(1)).Text();
              rows.Push(Json::Obj({{"kind", is_object ? "object" : "xorb"},
                                   {"hash", std::move(name)},
                                   {"found", Ago(FromUnixMillis(row.Int(2)), now)},
                                   {"reason", row.Str(3)}}));
            });
  });
  return rows;
}

net::Response StoragePage(Context& context) {
  hub::Hub& hub = context.hub;
  auto counted = hub.storage_counter().Latest();
  Json data = Json::Obj(
      {{"tab", "storage"}, {"trash", TrashRows(context)}, {"quarantine", QuarantineRows(context)}});
  if (counted != nullptr) {
    Json repos = Json::Arr(), owners = Json::Arr();
    for (const auto& [id, use] : counted->repos) {
      if (hub::RepoPtr repo = hub.repos().FindById(id))
        repos.Push(UseRow(repo->FullName(), RepoPath(*repo), use));
    }
    for (const auto& [id, use] : counted->owners) {
      if (hub::AccountPtr owner = hub.accounts().FindById(id))
        owners.Push(UseRow(owner->name, "/" + owner->name, use));
    }
    data.Set("total", UseRow("", "", counted->total));
    data.Set("counted", Ago(counted->counted_at, hub.clock().Now()));
    data.Set("repos", std::move(repos));
    data.Set("owners", std::move(owners));
  }
  return RenderPage(context, "admin_storage.html", std::move(data));
}

Json ChoreRow(const hub::Chore& chore, TimePoint now) {
  Json row = Json::Obj({{"id", chore.id},
                        {"kind", chore.kind->id},
                        {"label", chore.kind->label},
                        {"state", hub::StateName(chore.state)},
                        {"by", chore.asked_by},
                        {"asked", Ago(chore.asked_at, now)},
                        {"stage", chore.stage},
                        {"done", chore.done},
                        {"total", chore.total},
                        {"problem", chore.problem}});
  bool over = chore.finished_at.has_value();
  row.Set("over", over);
  if (over && chore.started_at) {
    auto took = std::chrono::duration_cast<std::chrono::milliseconds>(*chore.finished_at -
                                                                      *chore.started_at);
    row.Set("seconds", static_cast<double>(took.count()) / 1000);
  }
  if (!chore.report.is_null()) {
    row.Set("report", chore.report);
    row.Set("report_text", chore.report.Dump(2));
  }
  return row;
}

Json ModelRows(Context& context) {
  Json rows = Json::Arr();
  for (const auto& [id, status] : context.scheduler->Loaded()) {
    hub::RepoPtr repo = context.hub.repos().FindById(id);
    if (repo == nullptr) continue;
    rows.Push(Json::Obj({{"id", repo->FullName()},
                         {"path", RepoPath(*repo)},
                         {"state", inference::StateName(status.state)},
                         {"memory", status.memory_bytes},
                         {"active", status.active_requests},
                         {"queued", status.queued_requests},
                         {"pinned", status.pinned},
                         {"reason", status.reason}}));
  }
  return rows;
}

Json JobsData(Context& context) {
  TimePoint now = context.hub.clock().Now();
  Json kinds = Json::Arr();
  for (const hub::ChoreKind& kind : hub::ChoreKinds()) {
    if (kind.needs_run) continue;
    kinds.Push(Json::Obj({{"id", kind.id}, {"label", kind.label}, {"effect", kind.effect}}));
  }
  Json chores = Json::Arr();
  bool busy = false;
  for (const hub::Chore& chore : context.surroundings->chores->List()) {
    chores.Push(ChoreRow(chore, now));
    busy = busy || !chore.finished_at;
  }
  hub::XetConverter::Stats conversion = context.hub.xet_converter().stats();
  Json data = Json::Obj({{"tab", "jobs"},
                         {"kinds", std::move(kinds)},
                         {"chores", std::move(chores)},
                         {"busy", busy},
                         {"indexing", context.hub.catalog().Waiting()},
                         {"converting", Json::Obj({{"waiting", conversion.waiting},
                                                   {"converted", conversion.converted},
                                                   {"failed", conversion.failed},
                                                   {"read", conversion.read_bytes},
                                                   {"stored", conversion.stored_bytes}})},
                         {"runs_models", context.scheduler != nullptr}});
  if (context.scheduler != nullptr) {
    data.Set("models", ModelRows(context));
    data.Set("budget", context.scheduler->memory_budget_bytes());
    data.Set("used", context.scheduler->stats().memory_bytes);
  }
  return data;
}

net::Response JobsPage(Context& context) {
  return RenderPage(context, "admin_jobs.html", JobsData(context));
}

// The part of the page that changes, for its script.
net::Response JobsJson(Context& context) {
  net::Response response = JsonResponse(JobsData(context));
  response.headers.Set("Cache-Control", "no-store");
  return response;
}

net::Response StartJob(Context& context) {
  RequireSession(context);
  Form form(context.request);
  return OrAgain(
      [&] {
        int64_t run = ParseInt(form.Text("run")).value_or(0);
        context.surroundings->chores->Ask(form.Require("kind", "Job"), run,
                                          context.actor.user_name);
        return GoTo("/administration/jobs");
      },
      [&](const Error&) { return JobsData(context); }, context, "admin_jobs.html");
}

net::Response StopJob(Context& context) {
  RequireSession(context);
  return OrAgain(
      [&] {
        context.surroundings->chores->Cancel(ParseInt(context.request.Capture("id")).value_or(0));
        return GoTo("/administration/jobs");
      },
      [&](const Error&) { return JobsData(context); }, context, "admin_jobs.html");
}

net::Response ChangeModel(Context& context) {
  RequireSession(context);
  Form form(context.request);
  return OrAgain(
      [&] {
        if (context.scheduler == nullptr)
          throw Error(Code::kConflict, "This hub was started without running models");
        std::string action = form.Require("action", "Action");
        hub::RepoHandle repo =
            context.hub.repos().Open(context.actor, hub::RepoType::kModel,
                                     form.Require("model", "Model"), hub::Right::kAdmin);
        if (action == "unload") {
          context.scheduler->Unload(repo);
        } else if (action == "pin" || action == "unpin") {
          context.scheduler->Pin(repo, action == "pin");
        } else {
          throw Error(Code::kInvalidArgument, "There is no such action");
        }
        return GoTo("/administration/jobs");
      },
      [&](const Error&) { return JobsData(context); }, context, "admin_jobs.html");
}

}  // namespace

void RegisterAdminStorage(RouteTable& table) {
  auto page = [&](const char* methods, const char* pattern, Handler handle, const char* summary) {
    AddFormRoute(table, {methods, pattern, Access::kSiteAdmin, std::move(handle), summary});
  };
  page("GET,HEAD", "/administration/storage", StoragePage,
       "What the store holds, for whom; the trash.");
  page("GET,HEAD", "/administration/jobs", JobsPage, "Jobs, queues and running models.");
  page("POST", "/administration/jobs", StartJob, "Asks for a job.");
  page("POST", "/administration/jobs/{id}/stop", StopJob, "Stops a job at its next step.");
  page("POST", "/administration/models", ChangeModel, "Unloads, pins or unpins a model.");
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/hearth/admin/jobs",
             .access = Access::kSiteAdmin,
             .handle = JobsJson,
             .summary = "Jobs, queues and running models."});
}

}  // namespace hearth::server

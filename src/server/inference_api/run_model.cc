// Asking the hub's models: the Inference API by task, TGI's and TEI's paths below a model, OpenAI's
// below a model or with the model's id in the body. Rights and existence are the hub's, the answer
// is the worker's.
#include <algorithm>
#include <set>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "runtime/tasks/task.h"
#include "server/inference_api/admission.h"
#include "server/route.h"

namespace hearth::server {
namespace {

// Workers take no more: of texts, and of pictures and sounds.
constexpr uint64_t kMaxBody = 2'000'000, kMaxFileBody = 14'000'000;
// Clients of the Inference API ask again, as the 503 tells them; those that say x-wait-for-model,
// and OpenAI's, who know of no loading, are held.
constexpr auto kHold = std::chrono::minutes(5);
// Of /v1/models.
constexpr size_t kMaxListed = 1000;
constexpr net::BodyPolicy kBody = {.max_bytes = kMaxBody, .memory_bytes = kMaxBody};
constexpr net::BodyPolicy kFileBody = {.max_bytes = kMaxFileBody, .memory_bytes = kMaxBody};

inference::Scheduler& SchedulerOf(const Context& context) {
  if (context.scheduler == nullptr) {
    throw Error(Code::kUnimplemented, "This hub does not run models");
  }
  return *context.scheduler;
}

void AdmitToModel(Context& context) {
  AdmitInference(context);
  SchedulerOf(context).Admit(context.repo().record());
}

bool TakesFiles(Context& context) {
  const hub::RepoRecord& record = context.repo().record();
  if (!record.head) return false;
  hub::FactsPtr facts = context.hub.catalog().FactsOf(context.repo(), *record.head);
  return std::any_of(facts->run.tasks.begin(), facts->run.tasks.end(), [](const auto& name) {
    const runtime::Task* task = runtime::FindTask(name);
    return task != nullptr && runtime::TakesFile(*task);
  });
}

net::Response RunInference(Context& context, std::string target) {
  if (context.request.body.size_bytes() > kMaxBody && !TakesFiles(context)) {
    throw Error(Code::kTooLarge,
                "The body may have " + std::to_string(kMaxBody) + " bytes for this model");
  }
  inference::ForwardOptions options;
  if (AsciiEqualsIgnoreCase(context.request.headers.Get("x-wait-for-model"), "true")) {
    options.hold = kHold;
  }
  options.on_computed = ChargeFor(context);
  return SchedulerOf(context).Forward(context.repo(), context.request, std::move(target), options);
}

net::Response RunOpenAi(Context& context, const hub::RepoHandle& repo, std::string target) {
  return SchedulerOf(context).Forward(repo, context.request, std::move(target),
                                      {inference::FaultShape::kOpenAi, kHold, ChargeFor(context)});
}

// OpenAI's clients read {"error": {"message"}}.
net::Response OpenAiFault(const Error& error) {
  int status = HttpStatus(error.code());
  std::string_view type = status == 401   ? "authentication_error"
                          : status == 403 ? "permission_error"
                          : status == 429 ? "rate_limit_error"
                          : status < 500  ? "invalid_request_error"
                                          : "server_error";
  bool missing = error.wire_code() == "RepoNotFound";
  Json body =
      Json::Obj({{"error", Json::Obj({{"message", error.message()},
                                      {"type", type},
                                      {"param", missing ? Json("model") : Json()},
                                      {"code", missing ? Json("model_not_found") : Json()}})}});
  net::Response response = JsonResponse(body, status);
  if (!error.wire_code().empty()) response.headers.Set("X-Error-Code", error.wire_code());
  for (const auto& [name, value] : error.headers()) response.headers.Set(name, value);
  return response;
}

// "owner/name:hf-inference" names a provider too; the hub is the only one that it has.
std::string ModelOf(const Json& body) {
  std::string id = body.RequireString("model");
  return id.substr(0, id.find(':'));
}

// With the caller's rights.
hub::RepoHandle OpenModel(Context& context, std::string id) {
  if (id.find('/') == std::string::npos) {
    std::optional<std::string> whole = context.hub.repos().FindAlias(hub::RepoType::kModel, id);
    if (!whole) {
      // As for a repository that is missing or not to be seen.
      throw Error(context.actor.signed_in() ? Code::kNotFound : Code::kUnauthenticated,
                  "Repository not found: give the model as owner/name")
          .WithWireCode("RepoNotFound");
    }
    id = *whole;
  }
  for (int moves = 0;; ++moves) {
    try {
      return context.hub.repos().Open(context.actor, hub::RepoType::kModel, id,
                                      hub::Right::kReadContent);
    } catch (const Error& error) {
      // There is no address to send the client on to, so the new name is followed here.
      auto to = std::find_if(error.details().begin(), error.details().end(),
                             [](const auto& detail) { return detail.first == "to"; });
      if (error.code() != Code::kMoved || to == error.details().end() || moves == 4) throw;
      id = to->second;
    }
  }
}

net::Response RunByBody(Context& context, const std::string& target) {
  try {
    SchedulerOf(context);
    hub::RepoHandle repo = OpenModel(context, ModelOf(context.JsonBody()));
    AdmitInference(context);
    return RunOpenAi(context, repo, target);
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw;
    return OpenAiFault(error);
  }
}

void AddModelRoute(RouteTable& table, const char* methods, std::string pattern, Handler handle,
                   const char* summary, const net::BodyPolicy& body = kBody) {
  table.Add({.methods = methods,
             .pattern = std::move(pattern),
             .access = Access::kRepoContent,
             .handle = std::move(handle),
             .body = body,
             .admit = AdmitToModel,
             .type = hub::RepoType::kModel,
             .summary = summary});
}

// The Inference API: the model's own task, or the one that the path names.
void AddTaskRoutes(RouteTable& table, const std::string& prefix) {
  auto own = [](Context& context) { return RunInference(context, "/"); };
  auto task = [](Context& context) {
    return RunInference(context, "/pipeline/" + std::string(context.request.RawCapture("task")));
  };
  AddModelRoute(table, "POST", prefix + "/models/{ns}/{name}", own, "Runs a model.", kFileBody);
  AddModelRoute(table, "POST", prefix + "/models/{ns}/{name}/pipeline/{task}", task,
                "Runs a model for a task.", kFileBody);
  AddModelRoute(table, "POST", prefix + "/pipeline/{task}/{ns}/{name}", task,
                "Runs a model for a task.", kFileBody);
}

void AddOpenAiRoutes(RouteTable& table, const std::string& prefix) {
  for (const char* path :
       {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank"}) {
    AddModelRoute(
        table, "POST", prefix + "/models/{ns}/{name}" + path,
        [path](Context& context) { return RunOpenAi(context, context.repo(), path); },
        "Runs a model, in OpenAI's words.");
  }
}

// What TGI and TEI have at their root, below the model.
void AddServerRoutes(RouteTable& table) {
  for (const char* path :
       {"/generate", "/generate_stream", "/embed", "/embed_all", "/embed_sparse", "/rerank",
        "/predict", "/similarity", "/tokenize", "/chat_tokenize", "/decode"}) {
    AddModelRoute(
        table, "POST", std::string("/models/{ns}/{name}") + path,
        [path](Context& context) { return RunInference(context, path); },
        "Runs a model, in the words of TGI and TEI.");
  }
  AddModelRoute(
      table, "GET,HEAD", "/models/{ns}/{name}/info",
      [](Context& context) { return RunInference(context, "/info"); },
      "What TGI's /info says of the model.");
}

net::Response Health(Context& context) {
  inference::ModelStatus status = SchedulerOf(context).StatusOf(context.repo().record());
  Json body = Json::Obj({{"state", std::string(inference::StateName(status.state))}});
  if (!status.reason.empty()) body.Set("error", status.reason);
  return JsonResponse(body, status.state == inference::ModelState::kWarm ? 200 : 503);
}

Json ModelEntry(const hub::RepoRecord& repo, inference::ModelState state) {
  auto created =
      std::chrono::duration_cast<std::chrono::seconds>(repo.created_at.time_since_epoch());
  return Json::Obj({{"id", repo.FullName()},
                    {"object", "model"},
                    {"created", static_cast<int64_t>(created.count())},
                    {"owned_by", repo.owner},
                    {"status", std::string(inference::StateName(state))}});
}

Json ModelList(Json data) { return Json::Obj({{"object", "list"}, {"data", std::move(data)}}); }

// Loaded ones first; a request loads any other.
net::Response ListModels(Context& context) {
  Json data = Json::Arr();
  std::set<int64_t> listed;
  auto add = [&](const hub::RepoPtr& repo, inference::ModelState state) {
    bool shown = repo && repo->head && state != inference::ModelState::kFailed &&
                 context.hub.repos().May(context.actor, repo->id, hub::Right::kReadContent);
    if (shown && listed.insert(repo->id).second) data.Push(ModelEntry(*repo, state));
  };
  for (const auto& [id, status] : SchedulerOf(context).Loaded())
    add(context.hub.repos().FindById(id), status.state);
  hub::CatalogQuery query;
  query.run_task = "";
  query.limit = kMaxListed;
  for (const hub::RepoPtr& repo : context.hub.catalog().List(context.actor, query).repos)
    add(repo, SchedulerOf(context).StatusOf(*repo).state);
  return JsonResponse(ModelList(std::move(data)));
}

// "owner/name", also where a client escapes the "/".
net::Response ShowModel(Context& context) {
  try {
    hub::RepoHandle repo = OpenModel(context, context.request.Capture("id"));
    inference::ModelState state = SchedulerOf(context).StatusOf(repo.record()).state;
    return JsonResponse(ModelEntry(repo.record(), state));
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw;
    return OpenAiFault(error);
  }
}

// The list of a server that has one model.
net::Response ListOwnModel(Context& context) {
  const hub::RepoRecord& repo = context.repo().record();
  Json entry = ModelEntry(repo, SchedulerOf(context).StatusOf(repo).state);
  return JsonResponse(ModelList(Json::Arr({std::move(entry)})));
}

// The Inference API's words for it.
net::Response LoadStatus(Context& context) {
  inference::ModelStatus status = SchedulerOf(context).StatusOf(context.repo().record());
  hub::FactsPtr facts =
      context.repo().record().head
          ? context.hub.catalog().FactsOf(context.repo(), *context.repo().record().head)
          : nullptr;
  bool runs = facts != nullptr && facts->run.runs();
  bool loaded = status.state == inference::ModelState::kWarm;
  bool failed = !runs || status.state == inference::ModelState::kFailed;
  Json body = Json::Obj({{"loaded", loaded},
                         {"state", loaded   ? "Loaded"
                                   : failed ? "error"
                                            : "Loadable"},
                         {"compute_type", "cpu"},
                         {"framework", facts == nullptr ? "" : facts->library_name}});
  return JsonResponse(body);
}

}  // namespace

void RegisterRunModel(RouteTable& table) {
  for (const char* prefix : {"", "/hf-inference"}) {
    AddTaskRoutes(table, prefix);
    AddOpenAiRoutes(table, prefix);
  }
  AddServerRoutes(table);
  table.Add({.methods = "GET,HEAD",
             .pattern = "/models/{ns}/{name}/health",
             .access = Access::kRepoContent,
             .handle = Health,
             .type = hub::RepoType::kModel,
             .summary = "Whether a model is loaded; loads nothing."});
  for (const char* path :
       {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank"}) {
    table.Add({.methods = "POST",
               .pattern = path,
               .access = Access::kPublic,
               .handle = [path](Context& context) { return RunByBody(context, path); },
               .body = kBody,
               .summary = "Runs the model that the body names, in OpenAI's words."});
  }
  table.Add({.methods = "GET,HEAD",
             .pattern = "/v1/models",
             .access = Access::kPublic,
             .handle = ListModels,
             .summary = "Models that run here, loaded ones first, in OpenAI's words."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/v1/models/{id...}",
             .access = Access::kPublic,
             .handle = ShowModel,
             .summary = "One model, in OpenAI's words."});
  for (const char* prefix : {"", "/hf-inference"}) {
    table.Add({.methods = "GET,HEAD",
               .pattern = std::string(prefix) + "/models/{ns}/{name}/v1/models",
               .access = Access::kRepoContent,
               .handle = ListOwnModel,
               .type = hub::RepoType::kModel,
               .summary = "This model alone, in OpenAI's words."});
  }
  table.Add({.methods = "GET,HEAD",
             .pattern = "/status/{ns}/{name}",
             .access = Access::kRepoContent,
             .handle = LoadStatus,
             .type = hub::RepoType::kModel,
             .summary = "Whether a model is loaded, in the Inference API's words."});
}

}  // namespace hearth::server

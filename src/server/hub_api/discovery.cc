// Ways to find things: trending, quick search, tags in use, tasks; and the small routes that
// clients read at start-up.
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/tasks.h"
#include "server/hub_api/repo_json.h"
#include "server/route.h"

namespace hearth::server {
namespace {

using hub::RepoType;

constexpr size_t kMaxQuickResults = 20;
constexpr size_t kTaskModels = 5;
constexpr size_t kMaxQuickText = 200;

std::optional<std::string> TextParam(const Context& context, std::string_view key) {
  return context.request.QueryParam(key);
}

size_t SmallLimit(const Context& context, const Json& body, size_t fallback) {
  std::optional<int64_t> limit = body.IntField("limit");
  if (std::optional<std::string> text = TextParam(context, "limit"); text && !text->empty())
    limit = ParseInt(*text);
  else if (!limit)
    return fallback;
  if (!limit || *limit < 1 || *limit > static_cast<int64_t>(kMaxQuickResults))
    throw Error(Code::kInvalidArgument, "invalid limit: expected a number from 1 to 20");
  return static_cast<size_t>(*limit);
}

// --- trending

Json TrendingData(Context& context, const hub::RepoPtr& repo) {
  Json data = Json::Obj({{"_id", repo->oid},
                         {"author", repo->owner},
                         {"id", repo->FullName()},
                         {"isLikedByUser", false},
                         {"likes", repo->likes},
                         {"private", repo->is_private},
                         {"repoType", hub::SingularName(repo->type)},
                         {"lastModified", FormatIso8601(repo->modified_at)}});
  if (repo->type != RepoType::kSpace) {
    data.Set("downloads", repo->downloads);
    data.Set("gated", GatedJson(repo->gated));
  }
  if (repo->type == RepoType::kModel) {
    hub::RepoSummary summary = context.hub.catalog().SummaryOf(*repo);
    if (!summary.pipeline_tag.empty()) data.Set("pipeline_tag", summary.pipeline_tag);
    if (summary.parameters > 0) data.Set("numParameters", summary.parameters);
  }
  return data;
}

net::Response Trending(Context& context) {
  std::string wanted = TextParam(context, "type").value_or("all");
  std::vector<RepoType> types;
  if (wanted == "all" || wanted.empty()) {
    types = {RepoType::kModel, RepoType::kDataset, RepoType::kSpace};
  } else if (std::optional<RepoType> type = hub::ParseRepoType(wanted)) {
    types = {*type};
  } else {
    throw Error(Code::kInvalidArgument, "invalid type: expected all, model, dataset or space");
  }
  size_t limit = SmallLimit(context, Json(), 10);
  std::vector<std::pair<int64_t, hub::RepoPtr>> best;
  for (RepoType type : types) {
    hub::CatalogQuery query;
    query.type = type;
    query.limit = limit;
    for (const hub::RepoPtr& repo : context.hub.catalog().List(context.actor, query).repos)
      best.emplace_back(context.hub.catalog().SummaryOf(*repo).trending, repo);
  }
  std::stable_sort(best.begin(), best.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  if (best.size() > limit) best.resize(limit);
  Json::Array list;
  for (const auto& [score, repo] : best) {
    list.push_back(Json::Obj(
        {{"repoType", hub::SingularName(repo->type)}, {"repoData", TrendingData(context, repo)}}));
  }
  return JsonResponse(Json::Obj({{"recentlyTrending", Json(std::move(list))}}));
}

// --- quick search

void AddRepos(Context& context, RepoType type, std::string_view text, size_t limit, Json* answer) {
  size_t total = 0;
  Json::Array list;
  for (const hub::RepoPtr& repo :
       context.hub.catalog().QuickSearch(context.actor, type, text, limit, &total)) {
    Json row = Json::Obj({{"_id", repo->oid}, {"id", repo->FullName()}});
    if (repo->is_private) row.Set("private", true);
    row.Set("trendingWeight", context.hub.catalog().SummaryOf(*repo).trending);
    if (type == RepoType::kSpace) row.Set("emoji", "");
    list.push_back(std::move(row));
  }
  std::string key(hub::PluralName(type));
  answer->Set(key, Json(std::move(list)));
  answer->Set(key + "Count", total);
}

void AddAccounts(Context& context, bool orgs, std::string_view text, size_t limit, Json* answer) {
  Json::Array list;
  for (const hub::AccountPtr& account : context.hub.accounts().FindByText(text, orgs, limit)) {
    list.push_back(
        Json::Obj({{"_id", account->oid},
                   {orgs ? "name" : "user", account->name},
                   {"fullname", account->fullname},
                   {"avatarUrl", context.base_url + "/avatars/" + account->name + ".svg"}}));
  }
  answer->Set(orgs ? "orgs" : "users", Json(std::move(list)));
}

net::Response QuickSearch(Context& context) {
  Json body = context.request.method == "POST" ? context.JsonBody() : Json::Obj();
  std::string text = TextParam(context, "q").value_or(body.StringField("q").value_or(""));
  if (text.size() > kMaxQuickText) throw Error(Code::kInvalidArgument, "q is too long");
  size_t limit = SmallLimit(context, body, 5);
  std::vector<std::string> types = context.request.QueryParams("type");
  if (const Json* type = body.Find("type"); type != nullptr) {
    if (const std::string* one = type->AsString()) types.push_back(*one);
    if (const Json::Array* many = type->AsArray()) {
      for (const Json& item : *many) {
        if (const std::string* name = item.AsString()) types.push_back(*name);
      }
    }
  }
  auto wants = [&types](std::string_view name) {
    return types.empty() || std::any_of(types.begin(), types.end(), [name](const std::string& t) {
             return t == name || t + "s" == name || t == "all";
           });
  };
  Json answer = Json::Obj({{"q", text}});
  for (RepoType type : {RepoType::kModel, RepoType::kDataset, RepoType::kSpace}) {
    std::string key(hub::PluralName(type));
    if (wants(key)) {
      AddRepos(context, type, text, limit, &answer);
    } else {
      answer.Set(key, Json::Arr());
      answer.Set(key + "Count", 0);
    }
  }
  for (bool orgs : {true, false}) {
    const char* key = orgs ? "orgs" : "users";
    if (wants(key)) {
      AddAccounts(context, orgs, text, limit, &answer);
    } else {
      answer.Set(key, Json::Arr());
    }
  }
  for (const char* key : {"papers", "collections", "buckets", "kernels"}) {
    answer.Set(key, Json::Arr());
    answer.Set(std::string(key) + "Count", 0);
  }
  return JsonResponse(answer);
}

// --- tags and tasks

net::Response TagsByType(Context& context, RepoType type) {
  Json groups = context.hub.catalog().TagsByType(type);
  std::string wanted = TextParam(context, "type").value_or("");
  if (wanted.empty()) return JsonResponse(groups);
  const Json* group = groups.Find(wanted);
  if (group == nullptr) throw Error(Code::kInvalidArgument, "invalid type: unknown group of tags");
  return JsonResponse(Json::Obj({{wanted, *group}}));
}

Json IdRows(const std::vector<hub::RepoPtr>& repos) {
  Json::Array list;
  for (const hub::RepoPtr& repo : repos)
    list.push_back(Json::Obj({{"id", repo->FullName()}, {"description", ""}}));
  return Json(std::move(list));
}

net::Response Tasks(Context& context) {
  std::vector<std::string> ids;
  for (const hub::TaskEntry& task : hub::KnownTasks()) ids.emplace_back(task.id);
  // Of what everybody may see: a default must work for all.
  auto leaders = context.hub.catalog().LeadersOf(hub::Actor{}, ids, kTaskModels);
  Json answer = Json::Obj();
  for (size_t i = 0; i < ids.size(); ++i) {
    const hub::TaskEntry& task = hub::KnownTasks()[i];
    Json::Array libraries;
    for (std::string_view library : Split(task.libraries, ',')) {
      if (!library.empty()) libraries.push_back(library);
    }
    // What clients take when they are given a task and no model: one that answers.
    Json open_models = Json::Arr();
    if (leaders[i].open_model) open_models.Push(leaders[i].open_model->FullName());
    answer.Set(
        ids[i],
        Json::Obj({{"id", ids[i]},
                   {"label", task.label},
                   {"libraries", Json(std::move(libraries))},
                   {"datasets", IdRows(leaders[i].datasets)},
                   {"models", IdRows(leaders[i].models)},
                   {"metrics", Json::Arr()},
                   {"spaces", Json::Arr()},
                   {"summary", task.summary},
                   {"widgetModels", std::move(open_models)},
                   {"demo", Json::Obj({{"inputs", Json::Arr()}, {"outputs", Json::Arr()}})}}));
  }
  return JsonResponse(answer);
}

}  // namespace

void RegisterDiscovery(RouteTable& table) {
  auto add = [&table](std::string methods, std::string pattern, Handler handle,
                      std::string summary) {
    table.Add({.methods = std::move(methods),
               .pattern = std::move(pattern),
               .access = Access::kPublic,
               .handle = std::move(handle),
               .summary = std::move(summary)});
  };
  add("GET,HEAD", "/api/trending", Trending, "What is liked and fetched most these days.");
  add("GET,HEAD,POST", "/api/quicksearch", QuickSearch,
      "Repositories and accounts whose name holds a text.");
  add(
      "GET,HEAD", "/api/models-tags-by-type",
      [](Context& context) { return TagsByType(context, RepoType::kModel); },
      "Tags that public models carry, in groups.");
  add(
      "GET,HEAD", "/api/datasets-tags-by-type",
      [](Context& context) { return TagsByType(context, RepoType::kDataset); },
      "Tags that public data sets carry, in groups.");
  add("GET,HEAD", "/api/tasks", Tasks, "All tasks, with the hub's most used models of each.");
  add(
      "GET,HEAD", "/api/kernels", [](Context&) { return JsonResponse(Json::Arr()); },
      "This hub has no repositories of that type.");
  add(
      "GET,HEAD", "/api/agent-harnesses",
      [](Context&) {
        return JsonResponse(
            Json::Obj({{"standardEnvVars", Json::Arr()}, {"harnesses", Json::Arr()}}));
      },
      "Read by clients at start; this hub asks for nothing.");
  add(
      "GET,HEAD", "/api/telemetry/{rest...}", [](Context&) { return net::Response::Empty(204); },
      "Usage reports of clients: answered, never kept.");
}

}  // namespace hearth::server

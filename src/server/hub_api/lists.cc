// GET /api/models, /api/datasets, /api/spaces: filtered, sorted, paged lists.
#include <algorithm>

#include "base/error.h"
#include "server/hub_api/repo_json.h"
#include "server/list_query.h"
#include "server/route.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxLimitWithFiles = 100;

RepoJsonOptions ReadOptions(const net::Request& request, hub::RepoType type) {
  RepoJsonOptions options;
  options.in_list = true;
  options.expand = request.QueryParams("expand");
  options.full = request.QueryFlag("full", false);
  options.card_data = request.QueryFlag("cardData", false);
  options.config = request.QueryFlag("config", false);
  CheckExpand(type, &options.expand);
  if (!options.expand.empty() && (options.full || options.card_data || options.config))
    throw Error(Code::kInvalidArgument,
                "invalid expand: cannot be used together with full, cardData or config");
  return options;
}

// Rows that name every file are long: a page has fewer of them.
bool NamesFiles(const RepoJsonOptions& options) {
  return options.full || std::find(options.expand.begin(), options.expand.end(), "siblings") !=
                             options.expand.end();
}

net::Response List(Context& context, hub::RepoType type) {
  ListQuery list = ReadListQuery(context.request, type);
  hub::CatalogQuery& query = list.query;
  RepoJsonOptions options = ReadOptions(context.request, type);
  if (NamesFiles(options)) query.limit = std::min(query.limit, kMaxLimitWithFiles);
  hub::CatalogPage page;
  if (!list.nothing) page = context.hub.catalog().List(context.actor, query);
  Json::Array rows;
  rows.reserve(page.repos.size());
  for (const hub::RepoPtr& repo : page.repos) {
    rows.push_back(
        RepoJson(context.hub, context.hub.repos().OpenAsSystem(repo), std::nullopt, options));
  }
  net::Response response = JsonResponse(Json(std::move(rows)));
  response.headers.Set("X-Total-Count", std::to_string(page.total));
  AddNextLink(&response, context, page.next_cursor);
  return response;
}

}  // namespace

void RegisterLists(RouteTable& table) {
  for (hub::RepoType type :
       {hub::RepoType::kModel, hub::RepoType::kDataset, hub::RepoType::kSpace}) {
    table.Add({.methods = "GET,HEAD",
               .pattern = "/api/" + std::string(hub::PluralName(type)),
               .access = Access::kPublic,
               .handle = [type](Context& context) { return List(context, type); },
               .summary = "The repositories that match search, filters and sort, page by page."});
  }
}

}  // namespace hearth::server

// Pages to find repositories: the three lists, and the page of a user or organisation.
#include <algorithm>

#include "base/error.h"
#include "server/pages/site.h"

namespace hearth::server {
namespace {

constexpr size_t kPerPage = 30;
constexpr hub::RepoType kTypes[] = {hub::RepoType::kModel, hub::RepoType::kDataset,
                                    hub::RepoType::kSpace};

hub::CatalogQuery ListQuery(const net::Request& request, hub::RepoType type) {
  hub::CatalogQuery query;
  query.type = type;
  query.limit = kPerPage;
  std::string search = request.QueryParam("search").value_or("");
  if (!search.empty()) query.search.push_back(search);
  query.author = request.QueryParam("author").value_or("");
  for (const std::string& filter : request.QueryParams("filter")) query.filters.push_back(filter);
  query.sort = hub::ParseSortKey(request.QueryParam("sort").value_or("trendingScore"))
                   .value_or(hub::SortKey::kTrending);
  query.cursor = request.QueryParam("cursor").value_or("");
  return query;
}

// The list's own address with one parameter changed; "" drops it.
std::string WithParam(const net::Request& request, const std::string& key,
                      const std::string& value) {
  std::string query;
  for (const auto& [name, text] : net::ParseForm(request.raw_query)) {
    if (name == key || name == "cursor" || text.empty()) continue;
    query += (query.empty() ? "?" : "&") + name + "=" + net::PercentEncode(text);
  }
  if (!value.empty()) query += (query.empty() ? "?" : "&") + key + "=" + net::PercentEncode(value);
  return request.raw_path + query;
}

net::Response ListPage(Context& context, hub::RepoType type) {
  const net::Request& request = context.request;
  hub::CatalogQuery query = ListQuery(request, type);
  hub::CatalogPage page = context.hub.catalog().List(context.actor, query);
  hub::CatalogQuery all = query;
  all.cursor.clear();
  Json data = Json::Obj({{"plural", hub::PluralName(type)},
                         {"repos", RepoSummaries(context, page.repos)},
                         {"total", context.hub.catalog().Count(context.actor, all)},
                         {"search", request.QueryParam("search").value_or("")},
                         {"author", query.author},
                         {"filters", Json(query.filters)},
                         {"sort", request.QueryParam("sort").value_or("trendingScore")}});
  Json sorts = Json::Arr();
  for (auto [key, label] : {std::pair("trendingScore", "Trending"),
                            {"likes", "Most likes"},
                            {"downloads", "Most downloads"},
                            {"createdAt", "Newest"},
                            {"lastModified", "Recently updated"}}) {
    sorts.Push(
        Json::Obj({{"key", key}, {"label", label}, {"url", WithParam(request, "sort", key)}}));
  }
  data.Set("sorts", std::move(sorts));
  if (!page.next_cursor.empty()) data.Set("next", WithParam(request, "cursor", page.next_cursor));
  data.Set("clear", WithParam(request, "filter", ""));
  return RenderPage(context, "list.html", std::move(data));
}

net::Response ProfilePage(Context& context) {
  hub::AccountPtr account = context.hub.accounts().FindByName(context.request.Capture("ns"));
  if (account == nullptr || account->disabled)
    throw Error(Code::kNotFound, "There is no user or organisation of this name.");
  Json columns = Json::Arr();
  for (hub::RepoType type : kTypes) {
    hub::CatalogQuery query;
    query.type = type;
    query.author = account->name;
    query.sort = hub::SortKey::kModified;
    query.limit = kPerPage;
    hub::CatalogPage page = context.hub.catalog().List(context.actor, query);
    columns.Push(Json::Obj({{"plural", hub::PluralName(type)},
                            {"total", context.hub.catalog().Count(context.actor, query)},
                            {"repos", RepoSummaries(context, page.repos)}}));
  }
  Json people = Json::Arr();
  for (const hub::Membership& member : account->is_org
                                           ? context.hub.accounts().MembersOf(account->id)
                                           : context.hub.accounts().OrgsOf(account->id)) {
    people.Push(Json::Obj({{"name", member.account->name}}));
  }
  return RenderPage(context, "profile.html",
                    Json::Obj({{"name", account->name},
                               {"fullname", account->fullname},
                               {"is_org", account->is_org},
                               {"people", std::move(people)},
                               {"columns", std::move(columns)}}));
}

}  // namespace

void RegisterBrowsePages(RouteTable& table) {
  for (hub::RepoType type : kTypes) {
    table.Add({.methods = "GET,HEAD",
               .pattern = "/" + std::string(hub::PluralName(type)),
               .access = Access::kPublic,
               .handle = [type](Context& context) { return ListPage(context, type); },
               .surface = Surface::kPage,
               .summary = "List with search, filters and sort."});
  }
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{ns}",
             .access = Access::kPublic,
             .handle = ProfilePage,
             .surface = Surface::kPage,
             .summary = "Page of a user or organisation."});
}

}  // namespace hearth::server

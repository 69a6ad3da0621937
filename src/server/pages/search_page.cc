// Search: the texts of all repositories, ranked, with the passage that fits; and people by name.
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/full_text.h"
#include "server/pages/site.h"
#include "server/search_api/search_json.h"

namespace hearth::server {
namespace {

constexpr size_t kPerPage = 20;
constexpr size_t kMaxPages = 50;
constexpr size_t kMaxText = 300;  // bytes of a query
constexpr size_t kMaxPeople = 12;

Json People(Context& context, std::string_view text) {
  Json rows = Json::Arr();
  for (bool orgs : {true, false}) {
    for (const hub::AccountPtr& account :
         context.hub.accounts().FindByText(text, orgs, kMaxPeople - rows.size()))
      rows.Push(Json::Obj({{"name", account->name}, {"is_org", orgs}}));
  }
  return rows;
}

std::string Address(std::string_view text, std::string_view type, size_t page) {
  std::string address = "/search?q=" + net::PercentEncode(text);
  if (!type.empty()) address += "&type=" + std::string(type);
  if (page > 0) address += "&p=" + std::to_string(page);
  return address;
}

Json Hits(Context& context, const std::vector<hub::FullTextHit>& hits) {
  std::vector<hub::RepoPtr> repos;
  for (const hub::FullTextHit& hit : hits) repos.push_back(hit.repo);
  Json summaries = RepoSummaries(context, repos);
  Json rows = Json::Arr();
  for (size_t i = 0; i < hits.size(); ++i) {
    const hub::FullTextHit& hit = hits[i];
    rows.Push(Json::Obj({{"repo", (*summaries.AsArray())[i]},
                         {"title", MarkedHtml(hit.repo->FullName(), hit.name_matches)},
                         {"snippet", MarkedHtml(hit.snippet.text, hit.snippet.matches)},
                         {"file", hit.file},
                         {"cut_before", hit.snippet.cut_before},
                         {"cut_after", hit.snippet.cut_after}}));
  }
  return rows;
}

Json Tabs(std::string_view text, std::string_view chosen, const hub::FullTextPage& page) {
  Json tabs = Json::Arr();
  auto add = [&](std::string_view type, std::string_view label, std::string_view icon,
                 size_t count) {
    tabs.Push(Json::Obj({{"label", label},
                         {"icon", icon},
                         {"count", count},
                         {"url", Address(text, type, 0)},
                         {"chosen", type == chosen}}));
  };
  add("", "All", "search", page.models + page.datasets + page.spaces);
  add("model", "Models", "model", page.models);
  add("dataset", "Datasets", "dataset", page.datasets);
  add("space", "Spaces", "space", page.spaces);
  return tabs;
}

net::Response SearchPage(Context& context) {
  const net::Request& request = context.request;
  std::string text(TrimAscii(request.QueryParam("q").value_or("")));
  if (text.size() > kMaxText)
    throw Error(Code::kInvalidArgument, "This is too long to search for.");
  Json data = Json::Obj({{"q", text}});
  if (text.empty()) return RenderPage(context, "search.html", std::move(data));
  hub::FullTextQuery query;
  query.text = text;
  query.type = hub::ParseRepoType(request.QueryParam("type").value_or(""));
  std::string type = query.type ? std::string(hub::SingularName(*query.type)) : "";
  size_t number =
      std::min<size_t>(ParseUint(request.QueryParam("p").value_or("")).value_or(0), kMaxPages);
  query.skip = number * kPerPage;
  query.limit = kPerPage;
  hub::FullTextPage page = context.hub.full_text().Find(context.actor, query);
  data.Set("hits", Hits(context, page.hits));
  data.Set("total", page.total);
  data.Set("relaxed", page.relaxed);
  data.Set("tabs", Tabs(text, type, page));
  if (!page.corrected.empty()) {
    data.Set("corrected", page.corrected);
    data.Set("corrected_url", Address(page.corrected, type, 0));
  }
  if (type.empty() && number == 0) data.Set("people", People(context, text));
  if (number > 0) data.Set("before", Address(text, type, number - 1));
  if (page.total > query.skip + page.hits.size() && number < kMaxPages)
    data.Set("next", Address(text, type, number + 1));
  return RenderPage(context, "search.html", std::move(data));
}

}  // namespace

void RegisterSearchPage(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/search",
             .access = Access::kPublic,
             .handle = SearchPage,
             .surface = Surface::kPage,
             .summary = "Search over everything."});
}

}  // namespace hearth::server

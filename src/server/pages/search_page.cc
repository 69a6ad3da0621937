// Search: what has the words in its name, or in its texts.
#include <algorithm>

#include "base/bytes.h"
#include "server/pages/site.h"

namespace hearth::server {
namespace {

constexpr size_t kShown = 12;     // of each group
constexpr size_t kMaxText = 200;  // bytes of a query
constexpr size_t kMaxPeople = 12;

Json People(Context& context, std::string_view text) {
  std::string needle = AsciiLower(text);
  Json rows = Json::Arr();
  for (bool orgs : {true, false}) {
    for (const hub::AccountPtr& account : context.hub.accounts().List(orgs)) {
      if (account->disabled || rows.size() >= kMaxPeople ||
          AsciiLower(account->name).find(needle) == std::string::npos)
        continue;
      rows.Push(Json::Obj({{"name", account->name}, {"is_org", orgs}}));
    }
  }
  return rows;
}

Json ByName(Context& context, std::string_view text) {
  Json groups = Json::Arr();
  for (hub::RepoType type :
       {hub::RepoType::kModel, hub::RepoType::kDataset, hub::RepoType::kSpace}) {
    size_t total = 0;
    std::vector<hub::RepoPtr> repos =
        context.hub.catalog().QuickSearch(context.actor, type, text, kShown, &total);
    groups.Push(Json::Obj({{"type", hub::SingularName(type)},
                           {"plural", hub::PluralName(type)},
                           {"total", total},
                           {"repos", RepoSummaries(context, repos)}}));
  }
  return groups;
}

net::Response SearchPage(Context& context) {
  std::string text(TrimAscii(context.request.QueryParam("q").value_or("")));
  if (text.size() > kMaxText) text.resize(kMaxText);
  Json data = Json::Obj({{"q", text}});
  if (!text.empty()) {
    Json groups = ByName(context, text);
    size_t total = 0;
    for (const Json& group : *groups.AsArray())
      total += static_cast<size_t>(group.IntField("total").value_or(0));
    data.Set("groups", std::move(groups));
    data.Set("people", People(context, text));
    data.Set("total", total);
  }
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

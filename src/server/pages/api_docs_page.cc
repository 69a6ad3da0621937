// The API of this hub, from the table of its routes: what there is cannot be missing here.
#include <algorithm>
#include <map>
#include <set>

#include "server/pages/site.h"

namespace hearth::server {
namespace {

std::string_view RuleText(Access access) {
  switch (access) {
    case Access::kPublic:
      return "everybody";
    case Access::kUser:
      return "signed in";
    case Access::kUserWrite:
      return "signed in, token may write";
    case Access::kRepoInfo:
      return "who may see the repository";
    case Access::kRepoContent:
      return "who may read its files";
    case Access::kRepoWrite:
      return "who may write to it";
    case Access::kRepoAdmin:
      return "who may administer it";
    case Access::kBucketRead:
      return "who may read the bucket";
    case Access::kBucketWrite:
      return "who may write to the bucket";
    case Access::kBucketAdmin:
      return "who may administer the bucket";
    case Access::kSigned:
      return "who has a signed address";
    case Access::kSiteAdmin:
      return "administrators of this hub";
  }
  return "";
}

constexpr const char* kOrder[] = {"Repositories",
                                  "Files and service",
                                  "People and organisations",
                                  "Finding and the rest",
                                  "Inspector and facets",
                                  "Inference",
                                  "Buckets",
                                  "Git over HTTP",
                                  "Git LFS",
                                  "Pages of the site"};

// One of kOrder.
std::string SectionOf(const Route& route) {
  switch (route.surface) {
    case Surface::kPage:
      return "Pages of the site";
    case Surface::kGit:
      return "Git over HTTP";
    case Surface::kLfs:
      return "Git LFS";
    case Surface::kApi:
      break;
  }
  static constexpr std::pair<std::string_view, std::string_view> kSections[] = {
      {"/api/hearth/", "Inspector and facets"},
      {"/api/models", "Repositories"},
      {"/api/datasets", "Repositories"},
      {"/api/spaces", "Repositories"},
      {"/api/buckets", "Buckets"},
      {"/api/repos", "Repositories"},
      {"/api/organizations", "People and organisations"},
      {"/api/users", "People and organisations"},
      {"/api/whoami", "People and organisations"},
      {"/api/inference", "Inference"},
      {"/models/", "Inference"},
      {"/v1/", "Inference"},
      {"/api/chat", "Inference"},
      {"/api/generate", "Inference"},
      {"/api/embed", "Inference"},
      {"/api/tags", "Inference"},
      {"/api/", "Finding and the rest"}};
  for (auto [prefix, section] : kSections) {
    if (route.pattern.starts_with(prefix)) return std::string(section);
  }
  return "Files and service";
}

// One row for the three types of repositories: "/api/models/..." ->
// "/api/{models|datasets|spaces}/...", and the pages "/datasets/{ns}/{name}" are those of models
// with a prefix.
std::string ForAllTypes(const Route& route) {
  if (!route.type) return route.pattern;
  std::string name(hub::PluralName(*route.type));
  std::string pattern = route.pattern;
  if (pattern.starts_with("/" + name + "/{ns}")) return pattern.substr(name.size() + 1);
  size_t at = pattern.find("/" + name + "/");
  if (at == std::string::npos || !pattern.starts_with("/api/")) return pattern;
  return pattern.replace(at + 1, name.size(), "{models|datasets|spaces}");
}

Json Sections() {
  std::map<std::string, std::vector<const Route*>> by_section;
  static const RouteTable table = BuildRouteTable();
  std::set<std::string> seen;
  for (const Route& route : table.routes()) {
    if (seen.insert(route.methods + " " + ForAllTypes(route)).second)
      by_section[SectionOf(route)].push_back(&route);
  }
  Json sections = Json::Arr();
  for (const char* title : kOrder) {
    std::vector<const Route*>& routes = by_section[title];
    std::stable_sort(routes.begin(), routes.end(),
                     [](const Route* a, const Route* b) { return a->pattern < b->pattern; });
    Json rows = Json::Arr();
    for (const Route* route : routes) {
      std::string methods = route->methods == "GET,HEAD" ? "GET" : route->methods;
      rows.Push(Json::Obj({{"methods", methods},
                           {"pattern", ForAllTypes(*route)},
                           {"rule", RuleText(route->access)},
                           {"summary", route->summary}}));
    }
    sections.Push(Json::Obj({{"title", title}, {"rows", std::move(rows)}}));
  }
  return sections;
}

net::Response ApiDocsPage(Context& context) {
  static const Json sections = Sections();
  return RenderPage(context, "api_docs.html", Json::Obj({{"sections", sections}}));
}

}  // namespace

void RegisterApiDocsPage(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/docs/api",
             .access = Access::kPublic,
             .handle = ApiDocsPage,
             .surface = Surface::kPage,
             .summary = "This page: every route of this hub."});
}

}  // namespace hearth::server

// The home page: what this hub is for a visitor; for somebody signed in, their own repositories,
// what changed in their organisations, and how the machine is.
#include <algorithm>
#include <filesystem>

#include "server/pages/site.h"

namespace hearth::server {
namespace {

constexpr hub::RepoType kTypes[] = {hub::RepoType::kModel, hub::RepoType::kDataset,
                                    hub::RepoType::kSpace};
constexpr size_t kTrending = 6;  // of each type
constexpr size_t kOwn = 6;
constexpr size_t kChanges = 8;
constexpr size_t kRunning = 8;
// Of the disk: where the gauge turns to a warning and to an alarm.
constexpr double kDiskLow = 0.8, kDiskHigh = 0.92;

Json TrendingColumns(Context& context) {
  hub::CatalogQuery query;
  query.limit = kTrending;
  return RepoColumns(context, std::move(query));
}

// The latest changes of the accounts' repositories of all types.
std::vector<hub::RepoPtr> LatestOf(Context& context, const std::vector<std::string>& owners,
                                   size_t limit, size_t* total) {
  std::vector<hub::RepoPtr> repos;
  for (const std::string& owner : owners) {
    for (hub::RepoType type : kTypes) {
      hub::CatalogQuery query;
      query.type = type;
      query.author = owner;
      query.sort = hub::SortKey::kModified;
      query.limit = limit;
      hub::CatalogPage page = context.hub.catalog().List(context.actor, query);
      *total += page.total;
      repos.insert(repos.end(), page.repos.begin(), page.repos.end());
    }
  }
  std::stable_sort(repos.begin(), repos.end(),
                   [](const auto& a, const auto& b) { return a->modified_at > b->modified_at; });
  if (repos.size() > limit) repos.resize(limit);
  return repos;
}

Json Running(Context& context) {
  if (context.scheduler == nullptr) return {};
  Json rows = Json::Arr();
  for (const auto& [id, status] : context.scheduler->Loaded()) {
    hub::RepoPtr repo = context.hub.repos().FindById(id);
    if (repo == nullptr || rows.size() >= kRunning ||
        !context.hub.repos().May(context.actor, id, hub::Right::kReadInfo))
      continue;
    rows.Push(Json::Obj({{"id", repo->FullName()},
                         {"path", RepoPath(*repo)},
                         {"state", inference::StateName(status.state)},
                         {"bytes", status.memory_bytes}}));
  }
  return rows;
}

Json Disk(Context& context) {
  std::error_code fault;
  std::filesystem::space_info space = std::filesystem::space(context.hub.data(), fault);
  if (fault || space.capacity == 0) return {};
  auto total = static_cast<double>(space.capacity);
  return Json::Obj({{"total", total},
                    {"free", static_cast<double>(space.available)},
                    {"used", total - static_cast<double>(space.available)},
                    {"low", total * kDiskLow},
                    {"high", total * kDiskHigh}});
}

void AddOwn(Context& context, Json* data) {
  size_t total = 0, changes = 0;
  data->Set("mine",
            RepoSummaries(context, LatestOf(context, {context.actor.user_name}, kOwn, &total)));
  data->Set("mine_total", total);
  std::vector<std::string> orgs;
  for (const hub::Membership& membership : context.hub.accounts().OrgsOf(context.actor.user_id))
    orgs.push_back(membership.account->name);
  data->Set("orgs", Json(orgs));
  data->Set("org_changes", RepoSummaries(context, LatestOf(context, orgs, kChanges, &changes)));
  data->Set("running", Running(context));
  if (context.actor.site_admin) data->Set("disk", Disk(context));
}

net::Response HomePage(Context& context) {
  Json data = Json::Obj({{"columns", TrendingColumns(context)}});
  if (context.actor.signed_in()) AddOwn(context, &data);
  return RenderPage(context, "home.html", std::move(data));
}

}  // namespace

void RegisterHomePage(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/",
             .access = Access::kPublic,
             .handle = HomePage,
             .surface = Surface::kPage,
             .summary = "Home page."});
}

}  // namespace hearth::server

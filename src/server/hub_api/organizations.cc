// Making organisations and changing who is in them; the lists of one's own repositories
// (section 3.1 and 3.2).
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/storage_use.h"
#include "server/hub_api/account_json.h"
#include "server/route.h"

namespace hearth::server {
namespace {

net::Response CreateOrg(Context& context) {
  RequireAccountControl(context.actor);
  Json body = context.JsonBody();
  hub::AccountPtr org = context.hub.accounts().CreateOrg(
      body.RequireString("name"), body.StringField("fullname").value_or(""), context.actor.user_id);
  Json answer = OrgRow(context, *org, hub::OrgRole::kAdmin);
  answer.Set("url", context.base_url + "/" + org->name);
  return JsonResponse(answer);
}

void RequireOrgAdmin(const Context& context, const hub::Account& org) {
  RequireAccountControl(context.actor);
  if (context.actor.site_admin || RoleIn(context.actor, org.id) == hub::OrgRole::kAdmin) return;
  throw Error(Code::kForbidden, "Only an admin of this organization may do this");
}

net::Response SetRole(Context& context) {
  hub::AccountPtr org = OrgOfPath(context);
  RequireOrgAdmin(context, *org);
  hub::AccountPtr user = UserOfPath(context);
  std::string text = context.JsonBody().RequireString("role");
  std::optional<hub::OrgRole> role = hub::ParseRole(text);
  if (!role) {
    throw Error(Code::kInvalidArgument, "Unknown role '" + text.substr(0, 40) +
                                            "': no_access, read, contributor, write or admin");
  }
  context.hub.accounts().SetMember(org->id, user->id, *role);
  Json answer = UserRow(context, *user);
  answer.Set("role", hub::RoleName(*role));
  return JsonResponse(answer);
}

// An admin removes anybody; everybody may leave.
net::Response RemoveMember(Context& context) {
  hub::AccountPtr org = OrgOfPath(context);
  hub::AccountPtr user = UserOfPath(context);
  if (user->id == context.actor.user_id) {
    RequireAccountControl(context.actor);
  } else {
    RequireOrgAdmin(context, *org);
  }
  context.hub.accounts().SetMember(org->id, user->id, std::nullopt);
  return JsonResponse(Json::Obj());
}

net::Response ReposOf(const Context& context, int64_t owner_id) {
  std::vector<std::pair<hub::RepoPtr, uint64_t>> repos;
  uint64_t total = 0;
  auto held = hub::HeldByReposOf(context.hub.db(), owner_id);
  for (const hub::RepoPtr& repo : context.hub.repos().OwnedBy(owner_id)) {
    if (!hub::RightOn(context.actor, *repo, false)) continue;
    auto known = held.find(repo->id);
    repos.emplace_back(repo, std::max(known == held.end() ? 0 : known->second,
                                      context.hub.catalog().SummaryOf(*repo).main_bytes));
    total += repos.back().second;
  }
  std::sort(repos.begin(), repos.end(), [](const auto& a, const auto& b) {
    if (a.first->modified_at != b.first->modified_at) {
      return a.first->modified_at > b.first->modified_at;
    }
    return a.first->id > b.first->id;
  });
  Json rows{Json::Array{}};
  for (const auto& [repo, bytes] : repos) {
    double percent =
        total == 0 ? 0 : 100.0 * static_cast<double>(bytes) / static_cast<double>(total);
    rows.Push(Json::Obj({{"id", repo->FullName()},
                         {"type", hub::SingularName(repo->type)},
                         {"updatedAt", FormatIso8601(repo->modified_at)},
                         {"visibility", repo->is_private ? "private" : "public"},
                         {"storage", bytes},
                         {"storagePercent", percent}}));
  }
  return JsonResponse(rows);
}

net::Response OwnRepos(Context& context) { return ReposOf(context, context.actor.user_id); }

net::Response OrgRepos(Context& context) {
  hub::AccountPtr org = OrgOfPath(context);
  if (!context.actor.site_admin && RoleIn(context.actor, org->id) == hub::OrgRole::kNoAccess) {
    throw Error(Code::kForbidden, "Only members of this organization may do this");
  }
  return ReposOf(context, org->id);
}

}  // namespace

void RegisterOrganizations(RouteTable& table) {
  table.Add({.methods = "POST",
             .pattern = "/api/organizations",
             .access = Access::kUserWrite,
             .handle = CreateOrg,
             .body = {.max_bytes = 16 << 10},
             .summary = "Makes an organisation; the caller becomes its admin."});
  table.Add({.methods = "PUT",
             .pattern = "/api/organizations/{org}/members/{user}/role",
             .access = Access::kUserWrite,
             .handle = SetRole,
             .body = {.max_bytes = 16 << 10},
             .summary = "Adds a member or changes the role; for admins of the organisation."});
  table.Add({.methods = "DELETE",
             .pattern = "/api/organizations/{org}/members/{user}",
             .access = Access::kUserWrite,
             .handle = RemoveMember,
             .body = {.max_bytes = 16 << 10},
             .summary = "Removes a member; members may remove themselves."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/settings/repositories",
             .access = Access::kUser,
             .handle = OwnRepos,
             .summary = "The caller's repositories with their size."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/organizations/{org}/settings/repositories",
             .access = Access::kUser,
             .handle = OrgRepos,
             .summary = "An organisation's repositories with their size; for members."});
}

}  // namespace hearth::server

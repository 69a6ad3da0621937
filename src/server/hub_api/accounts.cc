// Users and organisations as the API shows them: whoami-v2, overviews, members, likes of a user
// (section 3.2).
#include <algorithm>

#include "base/error.h"
#include "hub/likes.h"
#include "server/hub_api/account_json.h"
#include "server/route.h"

namespace hearth::server {
namespace {

Json AuthJson(const Context& context) {
  std::optional<hub::TokenInfo> token = context.hub.accounts().TokenOf(context.actor);
  if (!token) return Json::Obj({{"type", "session"}});
  Json access_token = Json::Obj({{"displayName", token->name},
                                 {"role", hub::TokenRoleName(token->role)},
                                 {"createdAt", FormatIso8601(token->created_at)}});
  if (token->role == hub::TokenRole::kFineGrained) {
    access_token.Set("fineGrained", FineGrainedJson(context, *token));
  }
  Json auth = Json::Obj({{"type", "access_token"}, {"accessToken", std::move(access_token)}});
  if (token->expires_at) auth.Set("expiresAt", FormatIso8601(*token->expires_at));
  return auth;
}

net::Response WhoAmI(Context& context) {
  hub::Accounts& accounts = context.hub.accounts();
  hub::AccountPtr user = accounts.FindById(context.actor.user_id);
  Json orgs{Json::Array{}};
  for (const hub::Membership& membership : accounts.OrgsOf(user->id)) {
    orgs.Push(OrgRow(context, *membership.account, membership.role));
  }
  Json body = Json::Obj({{"type", "user"},
                         {"id", user->oid},
                         {"name", user->name},
                         {"fullname", user->fullname},
                         {"email", user->email.empty() ? Json() : Json(user->email)},
                         {"emailVerified", !user->email.empty()},
                         {"canPay", false},
                         {"periodEnd", nullptr},
                         {"isPro", false},
                         {"avatarUrl", AvatarUrl(context, *user)},
                         {"orgs", std::move(orgs)},
                         {"auth", AuthJson(context)}});
  return JsonResponse(body);
}

// Likes on repositories that the caller must not know of are left out.
std::vector<std::pair<hub::Like, hub::RepoPtr>> VisibleLikes(const Context& context,
                                                             int64_t user_id) {
  std::vector<std::pair<hub::Like, hub::RepoPtr>> visible;
  for (const hub::Like& like : hub::LikesOfUser(context.hub.db(), user_id)) {
    hub::RepoPtr repo = context.hub.repos().FindById(like.repo_id);
    if (repo == nullptr || !hub::RightOn(context.actor, *repo, false)) continue;
    visible.emplace_back(like, std::move(repo));
  }
  return visible;
}

net::Response UserOverview(Context& context) {
  hub::AccountPtr user = UserOfPath(context);
  hub::Repos::OwnedCounts counts = context.hub.repos().CountOwned(context.actor, user->id);
  Json orgs{Json::Array{}};
  for (const hub::Membership& membership : context.hub.accounts().OrgsOf(user->id)) {
    orgs.Push(Json::Obj({{"id", membership.account->oid},
                         {"name", membership.account->name},
                         {"fullname", membership.account->fullname},
                         {"avatarUrl", AvatarUrl(context, *membership.account)}}));
  }
  Json body = Json::Obj({{"_id", user->oid},
                         {"user", user->name},
                         {"fullname", user->fullname},
                         {"avatarUrl", AvatarUrl(context, *user)},
                         {"isPro", false},
                         {"numModels", counts.of[0]},
                         {"numDatasets", counts.of[1]},
                         {"numSpaces", counts.of[2]},
                         {"numDiscussions", 0},
                         {"numPapers", 0},
                         {"numUpvotes", 0},
                         {"numLikes", VisibleLikes(context, user->id).size()},
                         {"numFollowing", 0},
                         {"numFollowers", 0},
                         {"orgs", std::move(orgs)},
                         {"createdAt", FormatIso8601(user->created_at)},
                         {"type", "user"}});
  if (context.actor.signed_in()) body.Set("isFollowing", false);
  return JsonResponse(body);
}

net::Response UserLikes(Context& context) {
  hub::AccountPtr user = UserOfPath(context);
  auto likes = VisibleLikes(context, user->id);
  Window window = WindowOf(context, likes.size());
  Json rows{Json::Array{}};
  for (size_t i = window.begin; i < window.end; ++i) {
    const auto& [like, repo] = likes[i];
    rows.Push(Json::Obj({{"createdAt", FormatIso8601(like.created_at)},
                         {"repo", Json::Obj({{"name", repo->FullName()},
                                             {"type", hub::SingularName(repo->type)}})}}));
  }
  return PageResponse(context, std::move(rows), window, likes.size());
}

net::Response NobodyFollowsUser(Context& context) {
  UserOfPath(context);
  return JsonResponse(Json(Json::Array{}));
}

net::Response NobodyFollowsOrg(Context& context) {
  OrgOfPath(context);
  return JsonResponse(Json(Json::Array{}));
}

net::Response OrgOverview(Context& context) {
  hub::AccountPtr org = OrgOfPath(context);
  hub::Repos::OwnedCounts counts = context.hub.repos().CountOwned(context.actor, org->id);
  Json body = Json::Obj({{"_id", org->oid},
                         {"name", org->name},
                         {"fullname", org->fullname},
                         {"avatarUrl", AvatarUrl(context, *org)},
                         {"isVerified", false},
                         {"numUsers", context.hub.accounts().MembersOf(org->id).size()},
                         {"numModels", counts.of[0]},
                         {"numSpaces", counts.of[2]},
                         {"numDatasets", counts.of[1]},
                         {"numFollowers", 0},
                         {"numPapers", 0},
                         {"createdAt", FormatIso8601(org->created_at)},
                         {"type", "org"}});
  if (context.actor.signed_in()) body.Set("isFollowing", false);
  return JsonResponse(body);
}

net::Response OrgMembers(Context& context) {
  hub::AccountPtr org = OrgOfPath(context);
  std::vector<hub::Membership> members = context.hub.accounts().MembersOf(org->id);
  bool inside = context.actor.site_admin;
  for (const auto& [id, role] : context.actor.org_roles) inside = inside || id == org->id;
  Window window = WindowOf(context, members.size());
  Json rows{Json::Array{}};
  for (size_t i = window.begin; i < window.end; ++i) {
    Json row = UserRow(context, *members[i].account);
    if (inside) row.Set("role", hub::RoleName(members[i].role));
    rows.Push(std::move(row));
  }
  return PageResponse(context, std::move(rows), window, members.size());
}

net::Response AvatarOf(const Context& context, const hub::AccountPtr& account) {
  return JsonResponse(Json::Obj({{"avatarUrl", AvatarUrl(context, *account)}}));
}

}  // namespace

void RegisterAccounts(RouteTable& table) {
  auto get = [&](std::string pattern, Access access, Handler handle, std::string summary) {
    table.Add({.methods = "GET,HEAD",
               .pattern = std::move(pattern),
               .access = access,
               .handle = std::move(handle),
               .summary = std::move(summary)});
  };
  get("/api/whoami-v2", Access::kUser, WhoAmI, "The caller, its organisations and its token.");
  get("/api/users/{user}/overview", Access::kPublic, UserOverview, "A user and its counts.");
  get("/api/users/{user}/followers", Access::kPublic, NobodyFollowsUser, "Always empty.");
  get("/api/users/{user}/following", Access::kPublic, NobodyFollowsUser, "Always empty.");
  get("/api/users/{user}/likes", Access::kPublic, UserLikes, "What a user likes, newest first.");
  get(
      "/api/users/{user}/avatar", Access::kPublic,
      [](Context& context) { return AvatarOf(context, UserOfPath(context)); },
      "Picture of a user.");
  get("/api/organizations/{org}/overview", Access::kPublic, OrgOverview,
      "An organisation and its counts.");
  get("/api/organizations/{org}/members", Access::kPublic, OrgMembers,
      "Members of an organisation; roles for members only.");
  get("/api/organizations/{org}/followers", Access::kPublic, NobodyFollowsOrg, "Always empty.");
  get(
      "/api/organizations/{org}/avatar", Access::kPublic,
      [](Context& context) { return AvatarOf(context, OrgOfPath(context)); },
      "Picture of an organisation.");
}

}  // namespace hearth::server

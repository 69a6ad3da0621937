// Likes of repositories (section 3.2).
#include "hub/likes.h"

#include "base/error.h"
#include "server/hub_api/account_json.h"
#include "server/route.h"

namespace hearth::server {
namespace {

void RequireLiker(const hub::Actor& actor) {
  if (!actor.signed_in()) throw Error(Code::kUnauthenticated, "Invalid username or password.");
  if (!hub::TokenMayWrite(actor)) {
    throw Error(Code::kForbidden, "This token may only read: use a token with write permission");
  }
}

net::Response AddLike(Context& context) {
  RequireLiker(context.actor);
  const hub::RepoRecord& repo = context.repo().record();
  hub::SetLike(context.hub.db(), context.hub.repos(), repo,
               {context.actor.user_id, repo.id, context.hub.clock().Now()});
  return JsonResponse(Json::Obj());
}

net::Response TakeLikeBack(Context& context) {
  RequireLiker(context.actor);
  hub::RemoveLike(context.hub.db(), context.hub.repos(), context.repo().record(),
                  context.actor.user_id);
  return JsonResponse(Json::Obj());
}

net::Response Likers(Context& context) {
  std::vector<hub::AccountPtr> users;
  for (const hub::Like& like : hub::LikesOfRepo(context.hub.db(), context.repo().record().id)) {
    hub::AccountPtr user = context.hub.accounts().FindById(like.user_id);
    if (user != nullptr) users.push_back(std::move(user));
  }
  Window window = WindowOf(context, users.size());
  Json rows{Json::Array{}};
  for (size_t i = window.begin; i < window.end; ++i) rows.Push(UserRow(context, *users[i]));
  return PageResponse(context, std::move(rows), window, users.size());
}

}  // namespace

void RegisterLikes(RouteTable& table) {
  table.Add({.methods = "POST",
             .pattern = "/api/{T}/{ns}/{name}/like",
             .access = Access::kRepoInfo,
             .handle = AddLike,
             .body = {.max_bytes = 16 << 10},
             .summary = "Likes the repository."});
  table.Add({.methods = "DELETE",
             .pattern = "/api/{T}/{ns}/{name}/like",
             .access = Access::kRepoInfo,
             .handle = TakeLikeBack,
             .body = {.max_bytes = 16 << 10},
             .summary = "Takes the like back."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/{T}/{ns}/{name}/likers",
             .access = Access::kRepoInfo,
             .handle = Likers,
             .summary = "Who likes the repository, newest first."});
}

}  // namespace hearth::server

// Token routes of repositories (wire reference, section 5.1).
#include "server/xet_api/xet_tokens.h"

#include "base/error.h"
#include "hub/access.h"
#include "server/write_access.h"
#include "server/xet_api/xet_token.h"
#include "storage/git/git_repository.h"

namespace hearth::server {
namespace {

int64_t SecondsOf(TimePoint time) { return ToUnixMillis(time) / 1000; }

net::Response ReadToken(Context& context) {
  RevisionAndPath where = SplitRevisionPath(context.request.RawCapture("rev"));
  // Branch names may hold unencoded slashes.
  std::string revision = where.path.empty() ? where.revision : where.revision + "/" + where.path;
  auto git = storage::GitRepository::Open(context.repo().git_folder());
  hub::Commits::ResolveRevision(git, revision);
  return XetTokenAnswer(context, MakeXetScope(context, hub::XetHolder::kRepo,
                                              context.repo().record().id, XetRight::kRead));
}

// A pull request may come from anybody who reads the repository, so its content may too.
void RequirePullRequestRight(const Context& context) {
  if (!context.actor.signed_in()) {
    throw Error(Code::kUnauthenticated, "Invalid username or password.");
  }
  if (!hub::TokenMayWrite(context.actor)) {
    throw Error(Code::kForbidden, "This token may only read: use a token with write permission");
  }
}

// The revision is not looked at: it may not exist yet, and for a new pull request it is "None".
net::Response WriteToken(Context& context) {
  if (context.request.QueryFlag("create_pr", false)) {
    RequirePullRequestRight(context);
  } else {
    OpenForWrite(context);
  }
  return XetTokenAnswer(context, MakeXetScope(context, hub::XetHolder::kRepo,
                                              context.repo().record().id, XetRight::kWrite));
}

}  // namespace

hub::XetScope MakeXetScope(const Context& context, hub::XetHolder holder, int64_t holder_id,
                           XetRight right) {
  const hub::Actor& actor = context.actor;
  bool narrow =
      actor.via == hub::Actor::Via::kToken && actor.token_role == hub::TokenRole::kFineGrained;
  return {.holder = holder,
          .holder_id = holder_id,
          .user_id = actor.user_id,
          .may_write = right == XetRight::kWrite,
          .whole_user = actor.signed_in() && !narrow,
          .token_id = actor.via == hub::Actor::Via::kToken ? actor.token_id : 0};
}

XetAccess MakeXetAccess(const Context& context, const hub::XetScope& scope) {
  XetAccess access;
  access.cas_url = context.base_url + "/xet/" + context.hub.xet().store_id();
  access.expires = SecondsOf(context.hub.clock().Now() + kXetTokenLifetime);
  access.token = MakeXetToken(context.hub, {scope, access.expires});
  return access;
}

std::vector<std::pair<std::string, std::string>> XetAccessHeaders(const XetAccess& access) {
  return {{"X-Xet-Cas-Url", access.cas_url},
          {"X-Xet-Access-Token", access.token},
          {"X-Xet-Token-Expiration", std::to_string(access.expires)}};
}

Json XetAccessJson(const XetAccess& access) {
  return Json::Obj(
      {{"casUrl", access.cas_url}, {"accessToken", access.token}, {"exp", access.expires}});
}

net::Response XetTokenAnswer(const Context& context, const hub::XetScope& scope) {
  XetAccess access = MakeXetAccess(context, scope);
  net::Response response = JsonResponse(XetAccessJson(access));
  for (const auto& [name, value] : XetAccessHeaders(access)) response.headers.Set(name, value);
  response.headers.Set("Cache-Control", "no-store");
  return response;
}

void RegisterXetTokens(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/{T}/{ns}/{name}/xet-read-token/{rev...}",
             .access = Access::kRepoContent,
             .handle = ReadToken,
             .summary = "Xet: a token that reads the repository's content."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/{T}/{ns}/{name}/xet-write-token/{rev...}",
             .access = Access::kRepoContent,
             .handle = WriteToken,
             .summary = "Xet: a token that uploads content for the repository."});
}

}  // namespace hearth::server

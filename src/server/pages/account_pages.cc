// Sign in, and the page of one's access tokens. The form targets /login and /logout are in
// hub_api/accounts.cc.
#include "base/bytes.h"
#include "base/error.h"
#include "server/hub_api/account_json.h"
#include "server/pages/site.h"

namespace hearth::server {
namespace {

// Not checked, it would make the sign-in page a redirector.
std::string SafeNext(const net::Request& request) {
  return SafeTarget(request.QueryParam("next").value_or("/"));
}

net::Response LoginPage(Context& context) {
  if (context.actor.signed_in()) return net::Response::Redirect(303, SafeNext(context.request));
  return RenderPage(context, "login.html",
                    Json::Obj({{"next", SafeNext(context.request)},
                               {"failed", context.request.QueryFlag("failed", false)}}));
}

// Tokens are shown, made and ended only in a web session: a leaked token must not be able to learn
// of others or to make itself a successor.
void RequireSession(const Context& context) {
  if (context.actor.via != hub::Actor::Via::kSession) {
    throw Error(Code::kForbidden, "Sign in with your password to manage tokens");
  }
}

Json TokenRows(Context& context) {
  Json rows = Json::Arr();
  TimePoint now = context.hub.clock().Now();
  for (const hub::TokenInfo& token : context.hub.accounts().ListTokens(context.actor.user_id)) {
    rows.Push(Json::Obj(
        {{"id", token.oid},
         {"name", token.name},
         {"role", hub::TokenRoleName(token.role)},
         {"hint", token.hint},
         {"created", Ago(token.created_at, now)},
         {"expires",
          token.expires_at ? Json(FormatIso8601(*token.expires_at).substr(0, 10)) : Json()},
         {"last_used", token.last_used_at ? Json(Ago(*token.last_used_at, now)) : Json()}}));
  }
  return rows;
}

net::Response TokensPage(Context& context) {
  RequireSession(context);
  return RenderPage(context, "tokens.html", Json::Obj({{"tokens", TokenRows(context)}}));
}

net::Response CreateToken(Context& context) {
  RequireSession(context);
  hub::NewToken wanted;
  std::string days;
  for (const auto& [key, value] : net::ParseForm(context.request.body.memory())) {
    if (key == "name") wanted.name = std::string(TrimAscii(value));
    if (key == "role")
      wanted.role = value == "write" ? hub::TokenRole::kWrite : hub::TokenRole::kRead;
    if (key == "days") days = value;
  }
  if (wanted.name.empty() || wanted.name.size() > 100)
    throw Error(Code::kInvalidArgument, "A token needs a name of 1 to 100 characters");
  if (uint64_t count = ParseUint(days).value_or(0); count > 0) {
    wanted.expires_at =
        context.hub.clock().Now() + std::chrono::hours(24 * std::min<uint64_t>(count, 3650));
  }
  std::string text = context.hub.accounts().CreateToken(context.actor.user_id, wanted).second;
  net::Response response = RenderPage(context, "tokens.html",
                                      Json::Obj({{"tokens", TokenRows(context)}, {"fresh", text}}));
  response.headers.Set("Cache-Control", "no-store");
  return response;
}

net::Response RevokeToken(Context& context) {
  RequireSession(context);
  context.hub.accounts().RevokeToken(context.actor.user_id, context.request.Capture("id"));
  return net::Response::Redirect(303, "/settings/tokens");
}

}  // namespace

void RegisterAccountPages(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/login",
             .access = Access::kPublic,
             .handle = LoginPage,
             .surface = Surface::kPage,
             .summary = "Sign in."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/settings/tokens",
             .access = Access::kUser,
             .handle = TokensPage,
             .surface = Surface::kPage,
             .summary = "One's access tokens."});
  table.Add({.methods = "POST",
             .pattern = "/settings/tokens",
             .access = Access::kUserWrite,
             .handle = CreateToken,
             .surface = Surface::kPage,
             .summary = "Make a token."});
  table.Add({.methods = "POST",
             .pattern = "/settings/tokens/{id}/revoke",
             .access = Access::kUserWrite,
             .handle = RevokeToken,
             .surface = Surface::kPage,
             .summary = "End a token."});
}

}  // namespace hearth::server

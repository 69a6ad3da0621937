// Web sessions: JSON login for scripts, form login for pages, logout.
//
// The cookie is SameSite=Lax and every change by a session needs its CSRF token (the dispatcher
// checks it). A login has no session yet, so it is guarded by Origin: otherwise another site could
// sign its visitors in as somebody else.
#include "base/error.h"
#include "server/hub_api/account_json.h"
#include "server/hub_api/session_cookie.h"
#include "server/route.h"

namespace hearth::server {
namespace {

std::string SignIn(const Context& context, std::string_view name, std::string_view password) {
  CheckOrigin(context);
  return context.hub.accounts().Login(name, password, context.request.peer,
                                      context.request.headers.Get("User-Agent"));
}

net::Response LoginJson(Context& context) {
  Json body = context.JsonBody();
  std::optional<std::string> name = body.StringField("username");
  if (!name) name = body.RequireString("name");
  std::string cookie = SignIn(context, *name, body.RequireString("password"));
  std::optional<hub::Actor> actor = context.hub.accounts().AuthenticateSession(cookie);
  if (!actor) throw Error(Code::kUnauthenticated, "Invalid username or password.");
  net::Response response =
      JsonResponse(Json::Obj({{"name", actor->user_name}, {"csrfToken", actor->csrf_token}}));
  AddSessionCookie(&response, context, cookie);
  return response;
}

std::string FormField(const std::vector<std::pair<std::string, std::string>>& form,
                      std::string_view key) {
  for (const auto& [name, value] : form) {
    if (name == key) return value;
  }
  return "";
}

net::Response LoginForm(Context& context) {
  auto form = net::ParseForm(context.request.body.ReadAll());
  std::string next = SafeTarget(FormField(form, "next"));
  try {
    std::string cookie = SignIn(context, FormField(form, "username"), FormField(form, "password"));
    net::Response response = net::Response::Redirect(303, next);
    AddSessionCookie(&response, context, cookie);
    return response;
  } catch (const Error& error) {
    if (error.code() != Code::kUnauthenticated) throw;
    return net::Response::Redirect(303, "/login?failed=1&next=" + net::PercentEncode(next));
  }
}

// The cookie is taken away only from a request that brought it: another site's form comes without
// (SameSite), and would otherwise sign its visitors out.
void EndSession(const Context& context, net::Response* response) {
  std::string cookie = SessionCookieOf(context.request);
  if (cookie.empty()) return;
  context.hub.accounts().Logout(cookie);
  DropSessionCookie(response, context);
}

net::Response LogoutJson(Context& context) {
  net::Response response = JsonResponse(Json::Obj());
  EndSession(context, &response);
  return response;
}

net::Response LogoutForm(Context& context) {
  net::Response response = net::Response::Redirect(303, "/");
  EndSession(context, &response);
  return response;
}

}  // namespace

void RegisterSessions(RouteTable& table) {
  auto post = [&](std::string pattern, Surface surface, Handler handle, std::string summary) {
    table.Add({.methods = "POST",
               .pattern = std::move(pattern),
               .access = Access::kPublic,
               .handle = std::move(handle),
               .surface = surface,
               .body = {.max_bytes = 16 << 10, .memory_bytes = 16 << 10},
               .summary = std::move(summary)});
  };
  post("/api/login", Surface::kApi, LoginJson, "Starts a web session by name and password.");
  post("/api/logout", Surface::kApi, LogoutJson, "Ends the web session.");
  post("/login", Surface::kPage, LoginForm, "The sign-in form.");
  post("/logout", Surface::kPage, LogoutForm, "The sign-out button.");
}

}  // namespace hearth::server

// Web sessions: JSON login for scripts, form login for pages, logout.
//
// The cookie is SameSite=Lax and every change by a session needs its CSRF token (the dispatcher
// checks it). A login has no session yet, so it is guarded by Origin: otherwise another site could
// sign its visitors in as somebody else.
#include <chrono>

#include "base/bytes.h"
#include "base/error.h"
#include "server/hub_api/account_json.h"
#include "server/route.h"

namespace hearth::server {
namespace {

constexpr std::string_view kCookie = "hearth_session";

std::string SetCookie(const Context& context, std::string_view value, int64_t max_age_seconds) {
  std::string cookie = std::string(kCookie) + "=" + std::string(value) +
                       "; Path=/; Max-Age=" + std::to_string(max_age_seconds) +
                       "; HttpOnly; SameSite=Lax";
  if (context.request.secure || context.base_url.starts_with("https://")) cookie += "; Secure";
  return cookie;
}

void AddSessionCookie(net::Response* response, const Context& context, std::string_view value) {
  response->headers.Add(
      "Set-Cookie", SetCookie(context, value, std::chrono::seconds(hub::kSessionLifetime).count()));
  response->headers.Set("Cache-Control", "no-store");
}

std::string_view HostOf(std::string_view origin) {
  size_t scheme_end = origin.find("://");
  return scheme_end == std::string_view::npos ? origin : origin.substr(scheme_end + 3);
}

// Hosts only: behind a proxy that speaks TLS the scheme seen here may differ from the browser's.
void CheckOrigin(const Context& context) {
  const std::string* origin = context.request.headers.Find("Origin");
  if (origin == nullptr) return;
  std::string_view host = HostOf(*origin);
  if (!AsciiEqualsIgnoreCase(host, context.request.host) &&
      !AsciiEqualsIgnoreCase(host, HostOf(context.base_url))) {
    throw Error(Code::kForbidden, "Sign in from this site only");
  }
}

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

void EndSession(const Context& context) {
  const std::string* cookies = context.request.headers.Find("Cookie");
  if (cookies == nullptr) return;
  for (std::string_view pair : Split(*cookies, ';')) {
    pair = TrimAscii(pair);
    if (!pair.starts_with(kCookie) || !pair.substr(kCookie.size()).starts_with('=')) continue;
    context.hub.accounts().Logout(pair.substr(kCookie.size() + 1));
  }
}

net::Response LogoutJson(Context& context) {
  EndSession(context);
  net::Response response = JsonResponse(Json::Obj());
  response.headers.Add("Set-Cookie", SetCookie(context, "", 0));
  return response;
}

net::Response LogoutForm(Context& context) {
  EndSession(context);
  net::Response response = net::Response::Redirect(303, "/");
  response.headers.Add("Set-Cookie", SetCookie(context, "", 0));
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

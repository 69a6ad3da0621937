// Sign in, sign up, and one's own account: profile, password, sessions. The targets of the sign-in
// and sign-out forms are in hub_api/sessions.cc.
#include "base/bytes.h"
#include "base/error.h"
#include "server/hub_api/account_json.h"
#include "server/hub_api/session_cookie.h"
#include "server/pages/form_page.h"
#include "server/surroundings.h"

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
                               {"sign_up", context.surroundings->sign_up},
                               {"failed", context.request.QueryFlag("failed", false)}}));
}

void RequireSignUp(const Context& context) {
  if (!context.surroundings->sign_up) {
    throw Error(Code::kNotFound,
                "Accounts of this hub are made by its administrator. Ask them for one.");
  }
}

net::Response SignUpPage(Context& context) {
  RequireSignUp(context);
  if (context.actor.signed_in()) return net::Response::Redirect(303, SafeNext(context.request));
  return RenderPage(context, "signup.html",
                    Json::Obj({{"next", SafeNext(context.request)}, {"values", Json::Obj()}}));
}

net::Response SignUp(Context& context) {
  RequireSignUp(context);
  CheckOrigin(context);
  Form form(context.request);
  std::string next = SafeTarget(form.Text("next"));
  return OrAgain(
      [&] {
        std::string cookie = context.hub.accounts().SignUp(
            form.Require("username", "User name"), form.Raw("password").value_or(""),
            form.Text("email"), context.request.peer, context.request.headers.Get("User-Agent"));
        net::Response response = net::Response::Redirect(303, next);
        AddSessionCookie(&response, context, cookie);
        return response;
      },
      [&](const Error&) {
        return Json::Obj({{"next", next}, {"values", form.Values()}});
      },
      context, "signup.html");
}

// "Firefox on Linux": enough to know one's own devices again.
std::string DeviceOf(std::string_view agent) {
  struct Mark {
    std::string_view token, name;
  };
  // The first that matches: Edge and Opera say Chrome too, Chrome says Safari too.
  static constexpr Mark kBrowsers[] = {{"Edg/", "Edge"},         {"OPR/", "Opera"},
                                       {"Firefox/", "Firefox"},  {"Chrome/", "Chrome"},
                                       {"Chromium", "Chromium"}, {"Safari/", "Safari"},
                                       {"curl/", "curl"},        {"python", "Python"}};
  static constexpr Mark kSystems[] = {{"Android", "Android"}, {"iPhone", "iPhone"},
                                      {"iPad", "iPad"},       {"Windows", "Windows"},
                                      {"Mac OS", "macOS"},    {"Linux", "Linux"}};
  std::string name;
  for (const Mark& mark : kBrowsers) {
    if (name.empty() && agent.find(mark.token) != std::string_view::npos) name = mark.name;
  }
  if (name.empty()) name = agent.empty() ? "Unknown program" : std::string(agent.substr(0, 40));
  for (const Mark& mark : kSystems) {
    if (agent.find(mark.token) == std::string_view::npos) continue;
    return name + " on " + std::string(mark.name);
  }
  return name;
}

Json SessionRows(Context& context) {
  std::string current = hub::Accounts::SessionId(SessionCookieOf(context.request));
  TimePoint now = context.hub.clock().Now();
  Json rows = Json::Arr();
  for (const hub::SessionInfo& session :
       context.hub.accounts().ListSessions(context.actor.user_id)) {
    rows.Push(Json::Obj({{"id", session.id},
                         {"device", DeviceOf(session.user_agent)},
                         {"peer", session.peer},
                         {"created", Ago(session.created_at, now)},
                         {"expires", FormatIso8601(session.expires_at).substr(0, 10)},
                         {"current", session.id == current}}));
  }
  return rows;
}

Json SettingsData(Context& context) {
  hub::AccountPtr user = context.hub.accounts().FindById(context.actor.user_id);
  Json orgs = Json::Arr();
  for (const hub::Membership& membership : context.hub.accounts().OrgsOf(user->id)) {
    orgs.Push(Json::Obj({{"name", membership.account->name},
                         {"fullname", membership.account->fullname},
                         {"role", hub::RoleName(membership.role)},
                         {"admin", membership.role == hub::OrgRole::kAdmin}}));
  }
  return Json::Obj({{"tab", "profile"},
                    {"name", user->name},
                    {"values", Json::Obj({{"fullname", user->fullname}, {"email", user->email}})},
                    {"orgs", std::move(orgs)},
                    {"said", context.request.QueryParam("said").value_or("")}});
}

net::Response SettingsPage(Context& context) {
  RequireSession(context);
  return RenderPage(context, "settings.html", SettingsData(context));
}

net::Response SaveProfile(Context& context) {
  RequireSession(context);
  Form form(context.request);
  return OrAgain(
      [&] {
        context.hub.accounts().SetProfile(context.actor.user_id, form.Text("fullname"),
                                          form.Text("email"));
        return GoTo("/settings", "profile");
      },
      [&](const Error&) { return SettingsData(context).Set("values", form.Values()); }, context,
      "settings.html");
}

Json PasswordData(Context& context) {
  return Json::Obj({{"tab", "password"},
                    {"name", context.actor.user_name},
                    {"said", context.request.QueryParam("said").value_or("")}});
}

net::Response PasswordPage(Context& context) {
  RequireSession(context);
  return RenderPage(context, "settings_password.html", PasswordData(context));
}

// The old password is checked as at a sign-in, so that guessing is as slow. All other sessions end.
net::Response ChangePassword(Context& context) {
  RequireSession(context);
  Form form(context.request);
  hub::Accounts& accounts = context.hub.accounts();
  const std::string& name = context.actor.user_name;
  std::string agent = context.request.headers.Get("User-Agent");
  std::string fresh = form.Raw("new_password").value_or("");
  return OrAgain(
      [&] {
        if (fresh != form.Raw("new_password_again").value_or("")) {
          throw Error(Code::kInvalidArgument, "The two new passwords are not the same");
        }
        std::string proof;
        try {
          proof =
              accounts.Login(name, form.Raw("password").value_or(""), context.request.peer, agent);
        } catch (const Error& fault) {
          if (fault.code() != Code::kUnauthenticated) throw;
          throw Error(Code::kInvalidArgument, "Your present password is not right");
        }
        try {
          accounts.SetPassword(context.actor.user_id, fresh);
        } catch (const Error&) {
          accounts.Logout(proof);
          throw;
        }
        net::Response response = GoTo("/settings/password", "password");
        AddSessionCookie(&response, context,
                         accounts.Login(name, fresh, context.request.peer, agent));
        return response;
      },
      [&](const Error&) { return PasswordData(context); }, context, "settings_password.html");
}

net::Response SessionsPage(Context& context) {
  RequireSession(context);
  return RenderPage(context, "settings_sessions.html",
                    Json::Obj({{"tab", "sessions"},
                               {"sessions", SessionRows(context)},
                               {"said", context.request.QueryParam("said").value_or("")}}));
}

net::Response EndOneSession(Context& context) {
  RequireSession(context);
  context.hub.accounts().EndSession(context.actor.user_id, context.request.Capture("id"));
  return GoTo("/settings/sessions", "ended");
}

net::Response EndOtherSessions(Context& context) {
  RequireSession(context);
  context.hub.accounts().EndOtherSessions(
      context.actor.user_id, hub::Accounts::SessionId(SessionCookieOf(context.request)));
  return GoTo("/settings/sessions", "others");
}

}  // namespace

void RegisterAccountPages(RouteTable& table) {
  auto add = [&](const char* method, const char* pattern, Access access, Handler handle,
                 const char* summary) {
    table.Add({.methods = method,
               .pattern = pattern,
               .access = access,
               .handle = std::move(handle),
               .surface = Surface::kPage,
               .body = {.max_bytes = 64 << 10},
               .summary = summary});
  };
  constexpr const char* kGet = "GET,HEAD";
  add(kGet, "/login", Access::kPublic, LoginPage, "Sign in.");
  add(kGet, "/signup", Access::kPublic, SignUpPage, "Make an account, where visitors may.");
  add("POST", "/signup", Access::kPublic, SignUp, "The form of it.");
  add(kGet, "/settings", Access::kUser, SettingsPage, "One's own account.");
  add("POST", "/settings", Access::kUserWrite, SaveProfile, "Full name and e-mail address.");
  add(kGet, "/settings/password", Access::kUser, PasswordPage, "Change the password.");
  add("POST", "/settings/password", Access::kUserWrite, ChangePassword, "The form of it.");
  add(kGet, "/settings/sessions", Access::kUser, SessionsPage, "Where one is signed in.");
  add("POST", "/settings/sessions/end-others", Access::kUserWrite, EndOtherSessions,
      "Sign out everywhere else.");
  add("POST", "/settings/sessions/{id}/end", Access::kUserWrite, EndOneSession,
      "Sign out in one place.");
}

}  // namespace hearth::server

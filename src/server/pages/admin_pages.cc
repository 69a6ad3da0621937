// The administration of the hub: its health, its people, its organisations. The store and the jobs
// are in admin_storage.cc. Everything here is for administrators of the site; changes need a
// session, so that a leaked token makes nobody an administrator.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "server/hub_api/account_json.h"
#include "server/pages/form_page.h"
#include "server/surroundings.h"

namespace hearth::server {
namespace {

constexpr size_t kUsersPerPage = 100;
constexpr size_t kPasswordLength = 20;  // of a made-up one: 119 bits
// A plot is 360 steps wide; its viewBox is as many units.
constexpr double kPlotHeight = 60;

// "0,60 1,58.2 ..." for <polyline>, and what the top of the plot stands for.
Json Plot(const std::vector<double>& values) {
  double top = std::max(1.0, *std::max_element(values.begin(), values.end()));
  std::string points;
  for (size_t i = 0; i < values.size(); ++i) {
    char text[48];
    std::snprintf(text, sizeof text, "%s%zu,%.1f", i == 0 ? "" : " ", i,
                  kPlotHeight - values[i] / top * (kPlotHeight - 2));
    points += text;
  }
  return Json::Obj({{"points", std::move(points)}, {"top", top}, {"now", values.back()}});
}

Json Plots(const RequestHistory& history) {
  std::vector<double> rate, millis, faults;
  double seconds = static_cast<double>(RequestHistory::kStep.count());
  for (const RequestHistory::Step& step : history.Read()) {
    auto count = static_cast<double>(step.requests);
    rate.push_back(count / seconds);
    millis.push_back(count > 0 ? static_cast<double>(step.micros) / count / 1000 : 0);
    faults.push_back(static_cast<double>(step.faults));
  }
  return Json::Arr({Plot(rate).Set("label", "Requests a second"),
                    Plot(millis).Set("label", "Mean time of an answer, ms"),
                    Plot(faults).Set("label", "Answers 5xx in ten seconds")});
}

std::string Duration(std::chrono::milliseconds time) {
  int64_t minutes = std::chrono::duration_cast<std::chrono::minutes>(time).count();
  if (minutes < 60) return std::to_string(minutes) + " min";
  if (minutes < 48 * 60)
    return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
  return std::to_string(minutes / 1440) + " days";
}

uint64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t FileBytes(const std::filesystem::path& file) {
  std::error_code missing;
  uintmax_t size = std::filesystem::file_size(file, missing);
  return missing ? 0 : size;
}

std::string DatabaseState(hub::Hub& hub) {
  try {
    hub.db().Read([](storage::Connection& c) { c.QueryInt("SELECT COUNT(*) FROM meta"); });
    return "answers";
  } catch (const Error& fault) {
    return fault.message();
  }
}

net::Response HealthPage(Context& context) {
  hub::Hub& hub = context.hub;
  const Surroundings& around = *context.surroundings;
  net::ServerStats stats = around.server_stats();
  std::error_code fault;
  std::filesystem::space_info disk = std::filesystem::space(hub.data(), fault);
  uint64_t capacity = fault ? 0 : disk.capacity;
  uint64_t available = fault ? 0 : disk.available;
  Json repos = Json::Arr();
  for (hub::RepoType type :
       {hub::RepoType::kModel, hub::RepoType::kDataset, hub::RepoType::kSpace}) {
    hub::CatalogQuery all;
    all.type = type;
    repos.Push(Json::Obj({{"plural", hub::PluralName(type)},
                          {"count", hub.catalog().Count(hub::Actor::System(), all)}}));
  }
  Json data =
      Json::Obj({{"tab", "health"},
                 {"uptime", Duration(std::chrono::duration_cast<std::chrono::milliseconds>(
                                hub.clock().Now() - around.started_at))},
                 {"resident", ResidentBytes()},
                 {"disk",
                  Json::Obj({{"capacity", capacity},
                             {"free", available},
                             {"used_percent",
                              capacity == 0 ? 0
                                            : 100.0 * static_cast<double>(capacity - available) /
                                                  static_cast<double>(capacity)}})},
                 {"database", DatabaseState(hub)},
                 {"database_bytes",
                  FileBytes(hub.data() / "hearth.db") + FileBytes(hub.data() / "hearth.db-wal")},
                 {"repos", std::move(repos)},
                 {"users", hub.accounts().Count(false)},
                 {"orgs", hub.accounts().Count(true)},
                 {"connections", stats.connections_open},
                 {"active", stats.requests_active},
                 {"received", stats.bytes_in},
                 {"sent", stats.bytes_out},
                 {"waiting", hub.catalog().Waiting()},
                 {"models", context.scheduler != nullptr},
                 {"sign_up", around.sign_up}});
  if (around.history != nullptr) data.Set("plots", Plots(*around.history));
  return RenderPage(context, "admin.html", std::move(data));
}

bool Matches(const hub::Account& user, const std::string& text) {
  if (text.empty()) return true;
  for (const std::string* field : {&user.name, &user.fullname, &user.email}) {
    if (AsciiLower(*field).find(text) != std::string::npos) return true;
  }
  return false;
}

Json PersonRow(const Context& context, const hub::Account& user) {
  return Json::Obj({{"name", user.name},
                    {"fullname", user.fullname},
                    {"email", user.email},
                    {"admin", user.is_admin},
                    {"disabled", user.disabled},
                    {"self", user.id == context.actor.user_id},
                    {"created", FormatIso8601(user.created_at).substr(0, 10)},
                    {"repos", context.hub.repos().CountOwned(context.actor, user.id).all()},
                    {"tokens", context.hub.accounts().ListTokens(user.id).size()},
                    {"sessions", context.hub.accounts().ListSessions(user.id).size()}});
}

Json UsersData(const Context& context) {
  std::string text = AsciiLower(TrimAscii(context.request.QueryParam("q").value_or("")));
  size_t page = static_cast<size_t>(std::min<uint64_t>(
      ParseUint(context.request.QueryParam("p").value_or("0")).value_or(0), 1'000'000));
  Json rows = Json::Arr();
  size_t found = 0;
  for (const hub::AccountPtr& user : context.hub.accounts().List(false)) {
    if (!Matches(*user, text)) continue;
    if (found >= page * kUsersPerPage && rows.size() < kUsersPerPage)
      rows.Push(PersonRow(context, *user));
    ++found;
  }
  Json data = Json::Obj({{"tab", "users"},
                         {"users", std::move(rows)},
                         {"total", found},
                         {"query", text},
                         {"values", Json::Obj()},
                         {"said", context.request.QueryParam("said").value_or("")}});
  if ((page + 1) * kUsersPerPage < found) data.Set("next_page", page + 1);
  return data;
}

net::Response UsersPage(Context& context) {
  return RenderPage(context, "admin_users.html", UsersData(context));
}

// The list again, with a password that is shown this once.
net::Response WithPassword(Context& context, const std::string& user, const std::string& password) {
  Json data = UsersData(context);
  data.Set("fresh", Json::Obj({{"user", user}, {"password", password}}));
  net::Response response = RenderPage(context, "admin_users.html", std::move(data));
  response.headers.Set("Cache-Control", "no-store");
  return response;
}

net::Response CreateUser(Context& context) {
  RequireSession(context);
  Form form(context.request);
  return OrAgain(
      [&] {
        std::string given = form.Raw("password").value_or("");
        std::string password = given.empty() ? RandomAlphanumeric(kPasswordLength) : given;
        hub::AccountPtr user = context.hub.accounts().CreateUser(
            form.Require("name", "User name"), password, form.Text("email"), form.Has("admin"));
        if (given.empty()) return WithPassword(context, user->name, password);
        return GoTo("/administration/users", "made");
      },
      [&](const Error&) { return UsersData(context).Set("values", form.Values()); }, context,
      "admin_users.html");
}

void CheckNotSelf(const Context& context, const hub::Account& user) {
  if (user.id == context.actor.user_id) {
    throw Error(Code::kConflict,
                "You cannot do this to your own account: ask another administrator");
  }
}

net::Response ChangeUser(Context& context) {
  RequireSession(context);
  hub::AccountPtr user = UserOfPath(context);
  std::string action = context.request.Capture("action");
  hub::Accounts& accounts = context.hub.accounts();
  return OrAgain(
      [&] {
        if (action == "reset-password") {
          std::string password = RandomAlphanumeric(kPasswordLength);
          CheckNotSelf(context, *user);
          accounts.SetPassword(user->id, password);
          return WithPassword(context, user->name, password);
        }
        if (action == "sign-out") {
          accounts.EndOtherSessions(user->id, "");
        } else if (action == "disable" || action == "enable") {
          CheckNotSelf(context, *user);
          accounts.SetDisabled(user->id, action == "disable");
        } else if (action == "make-admin" || action == "make-ordinary") {
          CheckNotSelf(context, *user);
          accounts.SetSiteAdmin(user->id, action == "make-admin");
        } else {
          throw Error(Code::kNotFound, "There is no such action");
        }
        return GoTo("/administration/users", action);
      },
      [&](const Error&) { return UsersData(context); }, context, "admin_users.html");
}

net::Response OrgsPage(Context& context) {
  Json rows = Json::Arr();
  for (const hub::AccountPtr& org : context.hub.accounts().List(true)) {
    std::vector<hub::Membership> members = context.hub.accounts().MembersOf(org->id);
    Json admins = Json::Arr();
    for (const hub::Membership& member : members) {
      if (member.role == hub::OrgRole::kAdmin) admins.Push(member.account->name);
    }
    rows.Push(Json::Obj({{"name", org->name},
                         {"fullname", org->fullname},
                         {"members", members.size()},
                         {"admins", std::move(admins)},
                         {"repos", context.hub.repos().CountOwned(context.actor, org->id).all()},
                         {"created", FormatIso8601(org->created_at).substr(0, 10)}}));
  }
  return RenderPage(context, "admin_organizations.html",
                    Json::Obj({{"tab", "organizations"}, {"orgs", std::move(rows)}}));
}

}  // namespace

void RegisterAdminPages(RouteTable& table) {
  auto page = [&](const char* methods, const char* pattern, Handler handle, const char* summary) {
    AddFormRoute(table, {methods, pattern, Access::kSiteAdmin, std::move(handle), summary});
  };
  page("GET,HEAD", "/administration", HealthPage, "How the hub is.");
  page("GET,HEAD", "/administration/users", UsersPage, "All users.");
  page("POST", "/administration/users", CreateUser, "Makes a user.");
  page("POST", "/administration/users/{user}/{action}", ChangeUser,
       "disable, enable, make-admin, make-ordinary, reset-password, sign-out.");
  page("GET,HEAD", "/administration/organizations", OrgsPage, "All organisations.");
}

}  // namespace hearth::server

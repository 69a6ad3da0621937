// One's access tokens: the list, and the builder of new ones, fine-grained ones with a row for each
// user, organisation or repository that they may reach.
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "server/pages/form_page.h"

namespace hearth::server {
namespace {

// Rows of the builder; the page adds more by a script up to this many.
constexpr size_t kScopeRows = 3;
constexpr size_t kMaxScopeRows = 50;
constexpr uint64_t kMaxDays = 3650;

std::string Rights(const hub::TokenScope& scope) {
  bool write = std::find(scope.permissions.begin(), scope.permissions.end(), "repo.write") !=
               scope.permissions.end();
  return write ? "write" : "read";
}

Json ScopeRows(const hub::TokenInfo& token) {
  Json rows = Json::Arr();
  for (const hub::TokenScope& scope : token.scopes) {
    rows.Push(Json::Obj({{"type", scope.entity_type.empty() ? "everything" : scope.entity_type},
                         {"name", scope.entity_name},
                         {"rights", Rights(scope)}}));
  }
  return rows;
}

Json TokenRows(Context& context) {
  Json rows = Json::Arr();
  TimePoint now = context.hub.clock().Now();
  for (const hub::TokenInfo& token : context.hub.accounts().ListTokens(context.actor.user_id)) {
    bool over = token.expires_at && *token.expires_at <= now;
    rows.Push(Json::Obj(
        {{"id", token.oid},
         {"name", token.name},
         {"role", token.role == hub::TokenRole::kFineGrained ? "fine-grained"
                                                             : hub::TokenRoleName(token.role)},
         {"scopes", ScopeRows(token)},
         {"gated", token.can_read_gated},
         {"hint", token.hint},
         {"created", Ago(token.created_at, now)},
         {"expires",
          token.expires_at ? Json(FormatIso8601(*token.expires_at).substr(0, 10)) : Json()},
         {"over", over},
         {"last_used", token.last_used_at ? Json(Ago(*token.last_used_at, now)) : Json()}}));
  }
  return rows;
}

// What the builder offers to pick from: the person, their organisations, and what they may write.
Json Entities(Context& context) {
  Json names = Json::Arr();
  auto add = [&](std::string_view type, const std::string& name) {
    names.Push(Json::Obj({{"type", type}, {"name", name}}));
  };
  add("user", context.actor.user_name);
  std::vector<int64_t> owners = {context.actor.user_id};
  for (const hub::Membership& membership : context.hub.accounts().OrgsOf(context.actor.user_id)) {
    add("org", membership.account->name);
    owners.push_back(membership.account->id);
  }
  constexpr size_t kMaxNames = 500;
  for (int64_t owner : owners) {
    for (const hub::RepoPtr& repo : context.hub.repos().OwnedBy(owner, kMaxNames)) {
      if (names.size() >= kMaxNames) return names;
      if (hub::RightOn(context.actor, *repo, false))
        add(hub::SingularName(repo->type), repo->FullName());
    }
  }
  return names;
}

Json PageData(Context& context) {
  Json rows = Json::Arr();
  for (size_t row = 0; row < kScopeRows; ++row) rows.Push(static_cast<int64_t>(row));
  return Json::Obj({{"tab", "tokens"},
                    {"tokens", TokenRows(context)},
                    {"entities", Entities(context)},
                    {"rows", std::move(rows)},
                    {"values", Json::Obj({{"role", "read"}})},
                    {"said", context.request.QueryParam("said").value_or("")}});
}

net::Response TokensPage(Context& context) {
  RequireSession(context);
  return RenderPage(context, "tokens.html", PageData(context));
}

// A repository that its owner may not see would let them learn its name by trying.
void CheckNamed(Context& context, hub::RepoType type, const std::string& name) {
  hub::RepoId id = hub::ParseRepoId(name);
  hub::RepoPtr repo = context.hub.repos().Find(type, id.owner, id.name);
  if (repo == nullptr || !hub::RightOn(context.actor, *repo, false)) {
    throw Error(Code::kInvalidArgument, "There is no " + std::string(hub::SingularName(type)) +
                                            " '" + name + "' that you may see");
  }
}

// scope_type_N, scope_name_N, scope_rights_N.
std::vector<hub::TokenScope> ScopesOf(Context& context, const Form& form) {
  std::vector<hub::TokenScope> scopes;
  for (size_t row = 0; row < kMaxScopeRows; ++row) {
    std::string number = std::to_string(row);
    std::string type = form.Text("scope_type_" + number);
    std::string name = form.Text("scope_name_" + number);
    if (type.empty() || (name.empty() && type != "everything")) continue;
    hub::TokenScope scope;
    scope.permissions = {"repo.content.read"};
    if (form.Text("scope_rights_" + number) == "write") scope.permissions.push_back("repo.write");
    if (type != "everything") {
      scope.entity_type = type;
      scope.entity_name = name;
      if (std::optional<hub::RepoType> repo = hub::ParseRepoType(type))
        CheckNamed(context, *repo, name);
    }
    scopes.push_back(std::move(scope));
  }
  if (scopes.empty()) {
    throw Error(Code::kInvalidArgument,
                "A fine-grained token needs at least one line that says what it may reach");
  }
  return scopes;
}

hub::NewToken Wanted(Context& context, const Form& form) {
  hub::NewToken wanted;
  wanted.name = form.Require("name", "Name");
  std::string role = form.Text("role");
  if (role != "read" && role != "write" && role != "fine-grained") {
    throw Error(Code::kInvalidArgument, "Choose a role: read, write or fine-grained");
  }
  if (role == "write") wanted.role = hub::TokenRole::kWrite;
  if (role == "fine-grained") {
    wanted.role = hub::TokenRole::kFineGrained;
    wanted.scopes = ScopesOf(context, form);
    wanted.can_read_gated = form.Has("gated");
  }
  std::string text = form.Text("days");
  std::optional<uint64_t> days = ParseUint(text);
  if (!text.empty() && (!days || *days == 0 || *days > kMaxDays)) {
    throw Error(Code::kInvalidArgument, "A token lasts 1 to 3650 days, or for ever");
  }
  if (days) wanted.expires_at = context.hub.clock().Now() + std::chrono::hours(24 * *days);
  return wanted;
}

net::Response CreateToken(Context& context) {
  RequireSession(context);
  Form form(context.request);
  return OrAgain(
      [&] {
        hub::NewToken wanted = Wanted(context, form);
        std::string text = context.hub.accounts().CreateToken(context.actor.user_id, wanted).second;
        Json data = PageData(context);
        data.Set("fresh", text);
        net::Response response = RenderPage(context, "tokens.html", std::move(data));
        response.headers.Set("Cache-Control", "no-store");
        return response;
      },
      [&](const Error&) { return PageData(context).Set("values", form.Values()); }, context,
      "tokens.html");
}

net::Response RevokeToken(Context& context) {
  RequireSession(context);
  context.hub.accounts().RevokeToken(context.actor.user_id, context.request.Capture("id"));
  return GoTo("/settings/tokens", "ended");
}

}  // namespace

void RegisterTokenPages(RouteTable& table) {
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
             .body = {.max_bytes = 256 << 10},
             .summary = "Make a token."});
  table.Add({.methods = "POST",
             .pattern = "/settings/tokens/{id}/revoke",
             .access = Access::kUserWrite,
             .handle = RevokeToken,
             .surface = Surface::kPage,
             .summary = "End a token."});
}

}  // namespace hearth::server

#include "server/hub_api/account_json.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::server {
namespace {

constexpr size_t kDefaultPage = 500;
constexpr size_t kMaxPage = 1000;

hub::AccountPtr AccountOfPath(const Context& context, std::string_view capture, bool org) {
  hub::AccountPtr account = context.hub.accounts().FindByName(context.request.Capture(capture));
  if (account == nullptr || account->is_org != org) {
    throw Error(Code::kNotFound,
                org ? "This organization does not exist" : "This user does not exist");
  }
  return account;
}

// Entities carry the id of what they name, when it still exists.
Json EntityJson(const Context& context, const hub::TokenScope& scope) {
  std::string oid;
  if (scope.entity_type == "user" || scope.entity_type == "org") {
    hub::AccountPtr account = context.hub.accounts().FindByName(scope.entity_name);
    if (account != nullptr) oid = account->oid;
  } else if (std::optional<hub::RepoType> type = hub::ParseRepoType(scope.entity_type)) {
    hub::RepoId id = hub::ParseRepoId(scope.entity_name);
    hub::RepoPtr repo = context.hub.repos().Find(*type, id.owner, id.name);
    if (repo != nullptr && hub::RightOn(context.actor, *repo, false)) oid = repo->oid;
  }
  return Json::Obj({{"_id", oid}, {"type", scope.entity_type}, {"name", scope.entity_name}});
}

}  // namespace

std::string AvatarUrl(const Context& context, const hub::Account& account) {
  return context.base_url + "/avatars/" + account.name + ".svg";
}

Json UserRow(const Context& context, const hub::Account& account) {
  return Json::Obj({{"_id", account.oid},
                    {"user", account.name},
                    {"fullname", account.fullname},
                    {"avatarUrl", AvatarUrl(context, account)},
                    {"isPro", false},
                    {"type", "user"}});
}

Json OrgRow(const Context& context, const hub::Account& account, hub::OrgRole role) {
  return Json::Obj({{"type", "org"},
                    {"id", account.oid},
                    {"name", account.name},
                    {"fullname", account.fullname},
                    {"email", nullptr},
                    {"canPay", false},
                    {"periodEnd", nullptr},
                    {"avatarUrl", AvatarUrl(context, account)},
                    {"roleInOrg", hub::RoleName(role)},
                    {"isEnterprise", false}});
}

Json FineGrainedJson(const Context& context, const hub::TokenInfo& token) {
  Json global{Json::Array{}};
  Json scoped{Json::Array{}};
  for (const hub::TokenScope& scope : token.scopes) {
    if (scope.entity_type.empty()) {
      for (const std::string& permission : scope.permissions) global.Push(permission);
      continue;
    }
    scoped.Push(Json::Obj(
        {{"entity", EntityJson(context, scope)}, {"permissions", Json(scope.permissions)}}));
  }
  return Json::Obj({{"global", std::move(global)},
                    {"scoped", std::move(scoped)},
                    {"canReadGatedRepos", token.can_read_gated}});
}

std::string SafeTarget(const std::string& next) {
  bool local = next.starts_with('/') && !next.starts_with("//") && next.size() <= 2048;
  for (char c : next) {
    // Browsers drop tabs and line ends from an address: "/<tab>/host" is "//host" to them.
    if (static_cast<unsigned char>(c) < 0x21 || c == 0x7f || c == '\\') local = false;
  }
  return local ? next : "/";
}

hub::AccountPtr UserOfPath(const Context& context) { return AccountOfPath(context, "user", false); }

hub::AccountPtr OrgOfPath(const Context& context) { return AccountOfPath(context, "org", true); }

void RequireAccountControl(const hub::Actor& actor) {
  bool session = actor.via == hub::Actor::Via::kSession;
  bool write_token =
      actor.via == hub::Actor::Via::kToken && actor.token_role == hub::TokenRole::kWrite;
  if (!session && !write_token) {
    throw Error(Code::kForbidden,
                "This needs a sign-in or a token with the role 'write': fine-grained and read "
                "tokens cannot change accounts");
  }
}

hub::OrgRole RoleIn(const hub::Actor& actor, int64_t org_id) {
  for (const auto& [org, role] : actor.org_roles) {
    if (org == org_id) return role;
  }
  return hub::OrgRole::kNoAccess;
}

Window WindowOf(const Context& context, size_t total) {
  size_t limit = kDefaultPage;
  if (std::optional<std::string> text = context.request.QueryParam("limit")) {
    std::optional<uint64_t> value = ParseUint(*text);
    if (!value || *value == 0) {
      throw Error(Code::kInvalidArgument, "limit must be a positive number");
    }
    limit = static_cast<size_t>(std::min<uint64_t>(*value, kMaxPage));
  }
  size_t begin = 0;
  if (std::optional<std::string> text = context.request.QueryParam("cursor")) {
    std::optional<uint64_t> value = ParseUint(*text);
    if (!value) throw Error(Code::kInvalidArgument, "Invalid cursor");
    begin = static_cast<size_t>(std::min<uint64_t>(*value, total));
  }
  return {begin, std::min(total, begin + limit)};
}

net::Response PageResponse(const Context& context, Json items, Window window, size_t total) {
  net::Response response = JsonResponse(items);
  if (window.end < total) AddNextLink(&response, context, std::to_string(window.end));
  return response;
}

}  // namespace hearth::server

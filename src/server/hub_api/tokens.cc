// A user's access tokens: list, make, revoke. The text of a token is in the answer that makes it
// and nowhere else.
#include "base/bytes.h"
#include "base/error.h"
#include "server/hub_api/account_json.h"
#include "server/route.h"

namespace hearth::server {
namespace {

Json OptionalDate(const std::optional<TimePoint>& time) {
  return time ? Json(FormatIso8601(*time)) : Json();
}

Json TokenJson(const Context& context, const hub::TokenInfo& token) {
  Json json = Json::Obj({{"id", token.oid},
                         {"name", token.name},
                         {"role", hub::TokenRoleName(token.role)},
                         {"hint", token.hint},
                         {"createdAt", FormatIso8601(token.created_at)},
                         {"expiresAt", OptionalDate(token.expires_at)},
                         {"lastUsedAt", OptionalDate(token.last_used_at)}});
  if (token.role == hub::TokenRole::kFineGrained) {
    json.Set("fineGrained", FineGrainedJson(context, token));
  }
  return json;
}

hub::TokenRole RoleOf(const Json& body) {
  std::string text = body.RequireString("role");
  for (hub::TokenRole role :
       {hub::TokenRole::kRead, hub::TokenRole::kWrite, hub::TokenRole::kFineGrained}) {
    if (text == hub::TokenRoleName(role)) return role;
  }
  throw Error(Code::kInvalidArgument,
              "Unknown token role '" + text.substr(0, 40) + "': read, write or fineGrained");
}

std::vector<std::string> Strings(const Json::Array& items) {
  std::vector<std::string> strings;
  for (const Json& item : items) {
    if (item.AsString() == nullptr) {
      throw Error(Code::kInvalidArgument, "permissions must be strings");
    }
    strings.push_back(*item.AsString());
  }
  return strings;
}

// The same shape that whoami-v2 shows; `_id` of entities is not needed.
void ReadFineGrained(const Json& rights, hub::NewToken* token) {
  if (const Json* global = rights.Find("global"); global != nullptr && global->size() > 0) {
    token->scopes.push_back({"", "", Strings(rights.RequireArray("global"))});
  }
  if (rights.Find("scoped") != nullptr) {
    for (const Json& item : rights.RequireArray("scoped")) {
      const Json* entity = item.Find("entity");
      if (entity == nullptr) throw Error(Code::kInvalidArgument, "a scope needs an entity");
      token->scopes.push_back({entity->RequireString("type"), entity->RequireString("name"),
                               Strings(item.RequireArray("permissions"))});
      if (token->scopes.back().entity_type.empty()) {
        throw Error(Code::kInvalidArgument, "a scope needs an entity type");
      }
    }
  }
  token->can_read_gated = rights.BoolField("canReadGatedRepos").value_or(false);
}

net::Response ListTokens(Context& context) {
  RequireAccountControl(context.actor);
  Json rows{Json::Array{}};
  for (const hub::TokenInfo& token : context.hub.accounts().ListTokens(context.actor.user_id)) {
    rows.Push(TokenJson(context, token));
  }
  return JsonResponse(rows);
}

net::Response CreateToken(Context& context) {
  RequireAccountControl(context.actor);
  Json body = context.JsonBody();
  hub::NewToken token;
  token.name = body.RequireString("name");
  token.role = RoleOf(body);
  if (std::optional<std::string> text = body.StringField("expiresAt")) {
    token.expires_at = ParseIso8601(*text);
    if (!token.expires_at) {
      throw Error(Code::kInvalidArgument, "expiresAt must look like 2030-01-31T00:00:00.000Z");
    }
  }
  if (const Json* rights = body.Find("fineGrained"); rights != nullptr && !rights->is_null()) {
    ReadFineGrained(*rights, &token);
  }
  hub::Accounts& accounts = context.hub.accounts();
  // A token that ends must not make one that lasts longer.
  std::optional<hub::TokenInfo> own = accounts.TokenOf(context.actor);
  if (own && own->expires_at && (!token.expires_at || *token.expires_at > *own->expires_at)) {
    throw Error(Code::kForbidden, "A token cannot make another one that outlives it");
  }
  auto [info, text] = accounts.CreateToken(context.actor.user_id, token);
  Json answer = TokenJson(context, info);
  answer.Set("token", text);
  net::Response response = JsonResponse(answer);
  response.headers.Set("Cache-Control", "no-store");
  return response;
}

net::Response RevokeToken(Context& context) {
  RequireAccountControl(context.actor);
  context.hub.accounts().RevokeToken(context.actor.user_id, context.request.Capture("id"));
  return JsonResponse(Json::Obj());
}

}  // namespace

void RegisterTokens(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/settings/tokens",
             .access = Access::kUserWrite,
             .handle = ListTokens,
             .summary = "The caller's tokens, without their text."});
  table.Add({.methods = "POST",
             .pattern = "/api/settings/tokens",
             .access = Access::kUserWrite,
             .handle = CreateToken,
             .body = {.max_bytes = 256 << 10},
             .summary = "Makes a token; its text is shown only here."});
  table.Add({.methods = "DELETE",
             .pattern = "/api/settings/tokens/{id}",
             .access = Access::kUserWrite,
             .handle = RevokeToken,
             .body = {.max_bytes = 16 << 10},
             .summary = "Ends a token at once."});
}

}  // namespace hearth::server

// Shapes that several account routes share (section 3.2 of the wire reference). Pure, thread-safe.
#pragma once

#include <string>

#include "codec/json.h"
#include "hub/accounts.h"
#include "server/route.h"

namespace hearth::server {

// "{base}/avatars/{name}.svg"
std::string AvatarUrl(const Context& context, const hub::Account& account);
// One row of a list of people: {_id, user, fullname, avatarUrl, isPro, type}.
Json UserRow(const Context& context, const hub::Account& account);
// One organisation as whoami-v2 and overviews list it; `role` is added as roleInOrg.
Json OrgRow(const Context& context, const hub::Account& account, hub::OrgRole role);
// {global, scoped, canReadGatedRepos} of a fine-grained token.
Json FineGrainedJson(const Context& context, const hub::TokenInfo& token);

// The account that the path names in {user} or {org}; kNotFound when there is none of that kind.
hub::AccountPtr UserOfPath(const Context& context);
hub::AccountPtr OrgOfPath(const Context& context);

// For changes of the account itself (tokens, organisations, members): a session or a write token.
// kForbidden otherwise; a fine-grained token has no permission that covers these.
void RequireAccountControl(const hub::Actor& actor);
hub::OrgRole RoleIn(const hub::Actor& actor, int64_t org_id);

// The part of a list of `total` items that `limit` and `cursor` (a position) ask for.
struct Window {
  size_t begin = 0;
  size_t end = 0;
};
Window WindowOf(const Context& context, size_t total);
// The items as a JSON array, with a Link to the next page when there is one.
net::Response PageResponse(const Context& context, Json items, Window window, size_t total);

// Where to go after a sign-in: a path on this site; anything else (another host, "//host", a
// backslash, a control character) becomes the home page.
std::string SafeTarget(const std::string& next);

}  // namespace hearth::server

// The cookie of a web session, and the guard of routes that start one. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "server/route.h"

namespace hearth::server {

// Gives the browser a session; the answer is not to be stored.
void AddSessionCookie(net::Response* response, const Context& context, std::string_view value);
// Takes it away.
void DropSessionCookie(net::Response* response, const Context& context);
// The request's session cookie; "" when it has none.
std::string SessionCookieOf(const net::Request& request);
// A request that begins a session has none yet, so no CSRF token either: it must come from a page
// of this site, or another one could sign its visitors in as somebody else. kForbidden.
void CheckOrigin(const Context& context);

}  // namespace hearth::server

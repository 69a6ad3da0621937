#include "server/hub_api/session_cookie.h"

#include <chrono>

#include "base/bytes.h"
#include "base/error.h"

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

std::string_view HostOf(std::string_view origin) {
  size_t scheme_end = origin.find("://");
  return scheme_end == std::string_view::npos ? origin : origin.substr(scheme_end + 3);
}

}  // namespace

void AddSessionCookie(net::Response* response, const Context& context, std::string_view value) {
  response->headers.Add(
      "Set-Cookie", SetCookie(context, value, std::chrono::seconds(hub::kSessionLifetime).count()));
  response->headers.Set("Cache-Control", "no-store");
}

void DropSessionCookie(net::Response* response, const Context& context) {
  response->headers.Add("Set-Cookie", SetCookie(context, "", 0));
}

std::string SessionCookieOf(const net::Request& request) {
  const std::string* cookies = request.headers.Find("Cookie");
  return cookies == nullptr ? std::string() : std::string(CookieValue(*cookies, kCookie));
}

// Hosts only: behind a proxy that speaks TLS the scheme seen here may differ from the browser's.
void CheckOrigin(const Context& context) {
  if (context.request.headers.Get("Sec-Fetch-Site") == "cross-site") {
    throw Error(Code::kForbidden, "Sign in from this site only");
  }
  const std::string* origin = context.request.headers.Find("Origin");
  if (origin == nullptr) return;
  std::string_view host = HostOf(*origin);
  if (!AsciiEqualsIgnoreCase(host, context.request.host) &&
      !AsciiEqualsIgnoreCase(host, HostOf(context.base_url))) {
    throw Error(Code::kForbidden, "Sign in from this site only");
  }
}

}  // namespace hearth::server

// Access tokens of the content store: what a client shows to the addresses under /xet/{store}.
//
// A token names one scope (a repository or a bucket, a user, read or write) and a time; the hub's
// secret signs it, so the store keeps no list and every server that shares the secret accepts it.
// What it names is judged again at every request (hub::Xet::CheckScope).
// Form: "hxt_" base64url(fields) "." signature. Pure functions, thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "hub/hub.h"
#include "hub/xet.h"

namespace hearth::server {

inline constexpr std::string_view kXetTokenPrefix = "hxt_";
// Clients ask for another one 30 to 60 seconds before the end.
inline constexpr std::chrono::minutes kXetTokenLifetime{60};
// Clients compare the end with their own clock, which may be slow.
inline constexpr std::chrono::minutes kXetTokenGrace{5};

struct XetToken {
  hub::XetScope scope;
  int64_t expires = 0;  // seconds since 1970
};

std::string MakeXetToken(const hub::Hub& hub, const XetToken& token);
// Throws kUnauthenticated for a token that is malformed or altered. Does not look at the time.
XetToken ParseXetToken(const hub::Hub& hub, std::string_view text);
// Throws kUnauthenticated when the token and its grace are over.
void CheckNotExpired(const XetToken& token, TimePoint now);

}  // namespace hearth::server

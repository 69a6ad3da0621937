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

// Clients ask for another one 30 to 60 seconds before the end.
inline constexpr std::chrono::minutes kXetTokenLifetime{60};
// Clients compare the end with their own clock, and a transfer that has begun goes on.
inline constexpr std::chrono::minutes kXetTokenGrace{5};

// `expires` in seconds since 1970.
std::string MakeXetToken(const hub::Hub& hub, const hub::XetScope& scope, int64_t expires);
// Throws kUnauthenticated for a token that is malformed, altered or over.
hub::XetScope ParseXetToken(const hub::Hub& hub, std::string_view token, TimePoint now);

}  // namespace hearth::server

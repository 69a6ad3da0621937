// Which peers may speak for someone else, and what they say (RFC 7239 Forwarded, X-Forwarded-*).
// Immutable after construction; thread-safe.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace hearth::net {

class TrustedProxies {
 public:
  TrustedProxies() = default;
  // Addresses, CIDR blocks or "unix". Throws Error{kInvalidArgument}.
  explicit TrustedProxies(const std::vector<std::string>& entries);
  // `peer` is an address without port, or "unix" for a peer on a unix socket.
  bool Trusts(std::string_view peer) const;
  // Fills peer, peer_is_trusted_proxy, host and secure from the headers when request->peer (the
  // socket's) is trusted.
  void Apply(Request* request) const;

 private:
  using Address = std::array<unsigned char, 16>;  // IPv4 as ::ffff:a.b.c.d
  struct Block {
    Address address;
    int bits;
  };
  static bool ParseAddress(std::string_view text, Address* out);
  std::vector<Block> blocks_;
  bool unix_ = false;
};

}  // namespace hearth::net

#include "net/internal/trusted_proxies.h"

#include <arpa/inet.h>

#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "net/internal/head_parser.h"

namespace hearth::net {
namespace {

// What one hop said about the side it was called from.
struct Hop {
  std::string address, proto, host;
};

std::string_view Unquote(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return text;
}

// "1.2.3.4:55", "[::1]:55", "[::1]" or "::1" without its port.
std::string WithoutPort(std::string_view text) {
  if (text.starts_with('[')) return std::string(text.substr(1, text.find(']') - 1));
  size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    text = text.substr(0, colon);
  }
  return std::string(text);
}

std::vector<std::string> ListOf(const Headers& headers, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& [key, value] : headers.fields()) {
    if (!AsciiEqualsIgnoreCase(key, name)) continue;
    for (std::string_view piece : Split(value, ',')) out.emplace_back(TrimAscii(piece));
  }
  return out;
}

std::vector<Hop> ReadForwarded(const Headers& headers) {
  std::vector<Hop> hops;
  for (const std::string& element : ListOf(headers, "forwarded")) {
    Hop hop;
    for (std::string_view pair : Split(element, ';')) {
      size_t equals = pair.find('=');
      if (equals == std::string_view::npos) continue;
      std::string name = AsciiLower(TrimAscii(pair.substr(0, equals)));
      std::string_view value = Unquote(TrimAscii(pair.substr(equals + 1)));
      if (name == "for") hop.address = WithoutPort(value);
      if (name == "proto") hop.proto = value;
      if (name == "host") hop.host = value;
    }
    hops.push_back(std::move(hop));
  }
  return hops;
}

// The X-Forwarded-* lists belong together from the right, where the nearest proxy writes; a single
// proto or host is said for all hops.
std::vector<Hop> ReadXForwarded(const Headers& headers) {
  std::vector<std::string> addresses = ListOf(headers, "x-forwarded-for");
  std::vector<std::string> protos = ListOf(headers, "x-forwarded-proto");
  std::vector<std::string> hosts = ListOf(headers, "x-forwarded-host");
  size_t count = std::max<size_t>(addresses.size(), protos.empty() && hosts.empty() ? 0 : 1);
  std::vector<Hop> hops(count);
  auto pick = [count](const std::vector<std::string>& list, size_t i) -> std::string {
    if (list.size() == 1) return list[0];
    size_t from_right = count - i;
    return from_right <= list.size() ? list[list.size() - from_right] : "";
  };
  for (size_t i = 0; i < count; ++i) {
    if (i < addresses.size()) hops[i].address = WithoutPort(addresses[i]);
    hops[i].proto = pick(protos, i);
    hops[i].host = pick(hosts, i);
  }
  return hops;
}

}  // namespace

bool TrustedProxies::ParseAddress(std::string_view text, Address* out) {
  std::string copy(text.substr(0, text.find('%')));  // a scope id is no part of the address
  in_addr v4;
  if (::inet_pton(AF_INET, copy.c_str(), &v4) == 1) {
    out->fill(0);
    (*out)[10] = (*out)[11] = 0xff;
    std::memcpy(out->data() + 12, &v4, 4);
    return true;
  }
  return ::inet_pton(AF_INET6, copy.c_str(), out->data()) == 1;
}

TrustedProxies::TrustedProxies(const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    if (entry == "unix") {
      unix_ = true;
      continue;
    }
    size_t slash = entry.find('/');
    Block block{};
    std::string address = entry.substr(0, slash);
    bool v4 = address.find(':') == std::string::npos;
    uint64_t width = v4 ? 32 : 128;
    std::optional<uint64_t> bits =
        slash == std::string::npos ? width : ParseUint(std::string_view(entry).substr(slash + 1));
    if (!ParseAddress(address, &block.address) || !bits || *bits > width) {
      throw Error(Code::kInvalidArgument, "trusted proxy " + entry + " is no address or block");
    }
    block.bits = static_cast<int>(*bits) + (v4 ? 96 : 0);
    blocks_.push_back(block);
  }
}

bool TrustedProxies::Trusts(std::string_view peer) const {
  if (peer == "unix") return unix_;
  Address address;
  if (blocks_.empty() || !ParseAddress(peer, &address)) return false;
  for (const Block& block : blocks_) {
    int whole = block.bits / 8;
    int rest = block.bits % 8;
    if (std::memcmp(address.data(), block.address.data(), static_cast<size_t>(whole)) != 0)
      continue;
    if (rest == 0) return true;
    int mask = 0xff << (8 - rest);
    auto index = static_cast<size_t>(whole);
    if (((address[index] ^ block.address[index]) & mask & 0xff) == 0) return true;
  }
  return false;
}

void TrustedProxies::Apply(Request* request) const {
  if (!Trusts(request->peer)) return;
  request->peer_is_trusted_proxy = true;
  std::vector<Hop> hops = ReadForwarded(request->headers);
  if (hops.empty()) hops = ReadXForwarded(request->headers);
  // From the nearest hop outwards, as long as the one that speaks is trusted.
  for (size_t i = hops.size(); i-- > 0;) {
    const Hop& hop = hops[i];
    std::string host = AsciiLower(hop.host);
    if (IsValidHost(host)) request->host = host;
    if (AsciiEqualsIgnoreCase(hop.proto, "https")) request->secure = true;
    if (AsciiEqualsIgnoreCase(hop.proto, "http")) request->secure = false;
    Address ignored;
    if (!ParseAddress(hop.address, &ignored)) return;  // "unknown" and obfuscated names
    request->peer = hop.address;
    if (!Trusts(hop.address)) return;
  }
}

}  // namespace hearth::net

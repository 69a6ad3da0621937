#include "server/xet_api/cas_request.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "server/xet_api/xet_token.h"

namespace hearth::server {
namespace {

[[noreturn]] void NeedToken() {
  throw Error(Code::kUnauthenticated, "The Xet store needs an access token: Authorization: Bearer");
}

XetToken TokenOf(const Context& context) {
  const std::string* sent = nullptr;
  for (const auto& [name, value] : context.request.headers.fields()) {
    if (!AsciiEqualsIgnoreCase(name, "Authorization")) continue;
    // Of two different ones a proxy in front may have checked the other.
    if (sent != nullptr && value != *sent) NeedToken();
    sent = &value;
  }
  if (sent == nullptr) NeedToken();
  size_t space = sent->find(' ');
  if (space == std::string::npos) NeedToken();
  std::string_view text = *sent;
  if (!AsciiEqualsIgnoreCase(text.substr(0, space), "bearer")) NeedToken();
  return ParseXetToken(context.hub, TrimAscii(text.substr(space + 1)));
}

}  // namespace

void CheckStore(const Context& context) {
  if (context.request.RawCapture("store") != context.hub.xet().store_id()) {
    throw Error(Code::kNotFound, "No such Xet store: ask the hub for a new token");
  }
}

hub::XetScope RequireValidToken(const Context& context) {
  XetToken token = TokenOf(context);
  CheckNotExpired(token, context.hub.clock().Now());
  return token.scope;
}

hub::XetScope RequireScope(const Context& context) {
  CheckStore(context);
  XetToken token = TokenOf(context);
  CheckNotExpired(token, context.hub.clock().Now());
  context.hub.xet().CheckScope(token.scope);
  return token.scope;
}

hub::XetScope AdmittedScope(const Context& context) {
  XetToken token = TokenOf(context);
  context.hub.xet().CheckScope(token.scope);
  return token.scope;
}

hub::XetScope AdmitWriter(Context& context) {
  hub::XetScope scope = RequireScope(context);
  if (!scope.may_write) throw Error(Code::kForbidden, "This access token may only read");
  return scope;
}

storage::XetHash HashCapture(const Context& context, std::string_view name) {
  std::optional<storage::XetHash> hash =
      storage::XetHash::FromText(context.request.RawCapture(name));
  if (!hash) throw Error(Code::kInvalidArgument, "A hash must be 64 lower-case hex digits");
  return *hash;
}

void CheckPrefix(const Context& context) {
  std::string_view prefix = context.request.RawCapture("prefix");
  if (prefix != "default" && prefix != "default-merkledb") {
    throw Error(Code::kNotFound, "Unknown namespace: only \"default\" exists");
  }
}

void AddCasRoute(RouteTable& table, const Route& route,
                 const std::vector<std::string_view>& paths) {
  for (std::string_view path : paths) {
    Route copy = route;
    copy.pattern = std::string(kCasBase) + std::string(path);
    copy.access = Access::kSigned;
    table.Add(std::move(copy));
  }
}

FileRange ParseFileRange(const std::string* header, uint64_t size_bytes) {
  if (header == nullptr) return {0, size_bytes};
  std::string_view text = *header;
  constexpr std::string_view kUnit = "bytes=";
  size_t dash = text.find('-');
  bool bounded = dash != std::string_view::npos && dash + 1 < text.size();
  std::optional<uint64_t> first, last;
  if (text.starts_with(kUnit) && dash != std::string_view::npos) {
    first = ParseUint(text.substr(kUnit.size(), dash - kUnit.size()));
    last = bounded ? ParseUint(text.substr(dash + 1)) : UINT64_MAX;
  }
  if (!first || !last || *last < *first) {
    throw Error(Code::kInvalidArgument, "Range must be bytes=first-last");
  }
  if (*first == 0 && size_bytes == 0) return {0, 0};
  if (*first >= size_bytes) {
    throw Error(Code::kRangeNotSatisfiable, "The range begins behind the end of the file")
        .WithHeader("Content-Range", "bytes */" + std::to_string(size_bytes));
  }
  return {*first, std::min(*last, size_bytes - 1) + 1};
}

}  // namespace hearth::server

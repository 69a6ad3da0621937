// What the routes of the content store share: which store, on whose behalf, about which hash.
// Their pattern is "/xet/{store}/..."; they are Access::kSigned because their bearer token is not
// one of the hub's.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "hub/xet.h"
#include "server/route.h"
#include "storage/xet/xet_hash.h"

namespace hearth::server {

inline constexpr std::string_view kCasBase = "/xet/{store}";

// Throws kNotFound for another store's address: a restored or wiped store has a new one.
void CheckStore(const Context& context);
// Only that a token of this hub is there and in time; the scope that it names, whose rights are not
// judged. Throws kUnauthenticated.
hub::XetScope RequireValidToken(const Context& context);
// The scope of the bearer token, judged now. Throws kUnauthenticated, kForbidden.
hub::XetScope RequireScope(const Context& context);
// The same for a handler behind `admit`: the token was in time when the request began, and a slow
// body must not outlive it.
hub::XetScope AdmittedScope(const Context& context);
// For a Route::admit: refuses before the body is read whom RequireScope refuses, and who may only
// read.
hub::XetScope AdmitWriter(Context& context);

// The hash of a path; kInvalidArgument unless it is 64 lower-case hex digits.
storage::XetHash HashCapture(const Context& context, std::string_view name);
// "default" or "default-merkledb": the one namespace that there is. kNotFound otherwise.
void CheckPrefix(const Context& context);

// Adds one route under several addresses: old clients use older forms. `paths` follow kCasBase.
void AddCasRoute(RouteTable& table, const Route& route, const std::vector<std::string_view>& paths);

// Bytes [start, end) of a file.
struct FileRange {
  uint64_t start = 0;
  uint64_t end = 0;
};
// "bytes=a-b" or "bytes=a-" of a reconstruction query; no header is the whole file. The end is
// clamped; an empty file has the range [0, 0). kInvalidArgument for another form,
// kRangeNotSatisfiable for a start behind the end: clients that walk in windows stop there.
FileRange ParseFileRange(const std::string* header, uint64_t size_bytes);

}  // namespace hearth::server

// Files that scans judged unsafe, on a hub whose policy is to block them: refused with a sentence,
// given to writers of the repository who say that they know.
#pragma once

#include <string>
#include <string_view>

#include "server/route.h"

namespace hearth::server {

// A request header ("1") or query parameter of this meaning.
inline constexpr std::string_view kAllowUnsafeHeader = "X-Hearth-Allow-Unsafe";
inline constexpr std::string_view kAllowUnsafeParameter = "allow_unsafe";

// "<what> was judged unsafe by this hub's scan and is not given out. ..."
std::string UnsafeMessage(std::string_view what);
// Throws kForbidden unless the caller may write to the repository and asked for it. For a blocked
// file.
void RefuseUnsafe(const Context& context, std::string_view path);
// The same for fetches by git, whose packs cannot leave out one file: refuses when the repository
// has any blocked blob in its object store.
void RefuseUnsafeHistory(const Context& context);

}  // namespace hearth::server

// For routes that learn only from the request (query, body) that they need to write.
#pragma once

#include "server/route.h"

namespace hearth::server {

// The repository of the path with Right::kWrite. Without credentials it throws kUnauthenticated, so
// that git and git-lfs ask for some; with a too small right kForbidden with a sentence for people.
hub::RepoHandle OpenForWrite(const Context& context);

}  // namespace hearth::server

// The body and the answer of POST …/lfs-files/duplicate, by which a client has files of one
// repository or bucket given to another repository, for a commit that then names them by SHA-256.
// The route has opened the source; here the target is opened with the right to write. Pure
// functions, thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/hash.h"
#include "net/http.h"
#include "server/route.h"
#include "storage/xet/xet_hash.h"

namespace hearth::server {

// Gives one file of the source to the target; why not, or nullopt when it was given.
using GiveFile = std::function<std::optional<std::string>(
    const hub::RepoHandle& target, const storage::XetHash& hash, const Sha256& oid)>;

// 200 when every file was given, 207 with the reasons otherwise. Throws kInvalidArgument for a
// malformed body and what opening the target throws.
net::Response DuplicateFiles(Context& context, const GiveFile& give);

}  // namespace hearth::server

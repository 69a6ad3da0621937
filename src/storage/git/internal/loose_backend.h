// Reads loose objects for libgit2. libgit2 1.5's own backend never returns from a truncated loose
// object (it waits for zlib output that cannot come), and one file that a power cut tore would then
// hold a thread of the server for good; this one reports every kind of damage.
// https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
//
// Thread rule: as the git_odb it is added to. Read-only; ObjectBatch writes.
#pragma once

#include <git2.h>
#include <git2/sys/odb_backend.h>

#include <filesystem>

namespace hearth::storage::internal {

// The caller passes it to git_odb_add_backend, which owns it then.
git_odb_backend* NewLooseBackend(const std::filesystem::path& objects_folder);

}  // namespace hearth::storage::internal

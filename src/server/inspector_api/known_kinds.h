// What a repository is, for one caller: its kept reading, the references in it looked up among what
// the caller may read, and what the index of tensors proves beside it. Thread-safe.
#pragma once

#include "hub/inspections.h"
#include "server/route.h"

namespace hearth::server {

// A model all of whose tensors lie, byte for byte, in a repository that was here before it is a
// copy: proved, whatever both say of themselves. `repo` needs Right::kReadContent.
inspector::Classification KnownKinds(const Context& context, const hub::RepoHandle& repo,
                                     const GitOid& commit, const hub::KeptReading& reading);

}  // namespace hearth::server

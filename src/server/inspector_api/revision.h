// The commit that an inspector route is asked about.
#pragma once

#include "server/route.h"

namespace hearth::server {

// The query's `revision` (branch, tag, commit, ref), main without one. Throws RevisionNotFound.
GitOid RevisionOf(const Context& context);

}  // namespace hearth::server

// What the inspector's routes share: the repository of the path at the revision asked for, and the
// other one that it is compared with.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "hub/inspector/repo_view.h"
#include "server/route.h"

namespace hearth::server {

// ?revision=, main without it. Throws RevisionNotFound as other routes do.
GitOid InspectedCommit(const Context& context);
std::unique_ptr<inspector::RepoView> InspectedView(const Context& context);

// ?against=: "ns/name", "ns/name@revision", or a revision of the same repository. kNotFound alike
// for what is not there and what the caller may not read; kInvalidArgument when it is not given.
std::unique_ptr<inspector::RepoView> AgainstView(const Context& context);

}  // namespace hearth::server

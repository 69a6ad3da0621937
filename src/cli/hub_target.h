// A folder, or a repository behind an address, as the inspector's view. Not thread-safe.
#pragma once

#include <memory>
#include <string>

#include "hub/inspector/repo_view.h"

namespace hearth::cli {

// Files of an address are read by ranges. Throws kNotFound, kInvalidArgument for an address that
// names a file, and what the connection throws.
std::unique_ptr<inspector::RepoView> OpenRepoTarget(const std::string& target);

}  // namespace hearth::cli

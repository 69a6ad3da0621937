// Reading small text files of a repository (.gitattributes, README.md) at a commit.
#pragma once

#include <string>
#include <string_view>

#include "storage/git/git_repository.h"

namespace hearth::hub {

// "" when there is no such file, or when it is larger than a regular file may be.
std::string ReadTextFile(const storage::GitRepository& git, const GitOid& commit,
                         std::string_view path);

}  // namespace hearth::hub

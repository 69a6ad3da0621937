// The text form of commits and tags that Hearth writes, safe for `git fsck --strict`. Pure.
// https://git-scm.com/docs/git-commit-tree
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/git/git_repository.h"

namespace hearth::storage::internal {

// "Name <email> 1700000000 +0000"; characters that would end a field are left out.
std::string SignatureLine(const Signature& signature);
// Without NUL bytes, which git does not allow.
std::string CleanMessage(std::string_view message);
std::string CommitText(const GitOid& tree, const std::vector<GitOid>& parents,
                       const Signature& author, std::string_view message);

}  // namespace hearth::storage::internal

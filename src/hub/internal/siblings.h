// The files of one commit with their real sizes: pointers to large objects are read through.
#pragma once

#include <string_view>
#include <vector>

#include "hub/facts.h"
#include "storage/git/git_repository.h"

namespace hearth::hub {

// Shared subtrees let a small push unfold to millions of paths; each would be kept in memory and
// sent with the info.
inline constexpr size_t kMaxSiblings = 250'000;

struct SiblingList {
  std::vector<Sibling> files;  // sorted by path
  bool cut = false;            // there are more than kMaxSiblings
};
SiblingList ListSiblings(const storage::GitRepository& git, const GitOid& commit);

// nullptr when there is none. `files` as ListSiblings sorts them.
const Sibling* FindSibling(const std::vector<Sibling>& files, std::string_view path);

}  // namespace hearth::hub

// What the head of a repository's page needs to know.
#pragma once

#include <string_view>

#include "server/pages/site.h"
#include "storage/git/git_repository.h"

namespace hearth::server {

// RepoPageData of a page with forms: also `said` and repo.can_write.
Json RepoFrame(Context& context, std::string_view tab, std::string_view revision);
// RepoPath with its segments encoded, for Location headers.
std::string RepoLocation(const hub::RepoRecord& repo);

// A branch and a path in it, from the rest of an address ("main/a/b"); the branch may be given as
// refs%2Fheads%2Fx. Only a branch can be committed to: kInvalidArgument for a commit or a tag,
// RevisionNotFound for nothing.
struct BranchView {
  storage::GitRepository git;
  std::string branch;
  std::string path;
  GitOid head;
};
BranchView OpenBranch(Context& context, std::string_view raw);

}  // namespace hearth::server

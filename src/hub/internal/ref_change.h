// Brackets every change of refs that the hub makes itself: the index is marked stale before, and
// brought up to date after, also when the change fails half-way. Lives on one thread, inside
// Repos::LockForWrite.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/repos.h"
#include "storage/git/git_repository.h"

namespace hearth::hub {

class RefChange {
 public:
  RefChange(Repos& repos, const RepoHandle& repo, const storage::GitRepository& git);
  ~RefChange();
  RefChange(const RefChange&) = delete;
  RefChange& operator=(const RefChange&) = delete;
  void Finish();  // call when the refs are as they should be

 private:
  Repos& repos_;
  const RepoHandle& repo_;
  std::vector<storage::RefInfo> before_;
  bool finished_ = false;
};

[[noreturn]] void ThrowInvalidRevision(std::string_view revision);
// The full name of the branch that a revision of the API names ("main", "HEAD", "refs/heads/x").
// nullopt for other kinds of revisions.
std::optional<std::string> BranchRefOf(std::string_view revision);
// Throws RepoNotFound when the repository was deleted while the caller waited for the write lock.
void RequireAlive(const Repos& repos, const RepoHandle& repo);

// A writer that meets a push in between tries again this often before it gives up with 409.
inline constexpr int kMaxWriteAttempts = 20;
// After so many lost tries it keeps pushes out while it writes, so that it ends.
inline constexpr int kOpenWriteAttempts = 4;

}  // namespace hearth::hub

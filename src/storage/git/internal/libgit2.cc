#include "storage/git/internal/libgit2.h"

#include <mutex>

namespace hearth::storage::internal {
namespace {

// Trees of big folders are read again and again within one request; commits are small.
constexpr size_t kMaxCachedTreeBytes = 1 << 20;
constexpr size_t kMaxCachedCommitBytes = 16 << 10;
// For all open repositories together.
constexpr ssize_t kCacheBytes = 64 << 20;
constexpr size_t kMappedPackBytes = size_t{1} << 30;

}  // namespace

void StartLibgit2() {
  static std::once_flag once;
  std::call_once(once, [] {
    Check(git_libgit2_init(), "start libgit2");
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    // The data folder is ours by configuration; another owner (a volume mounted into a container)
    // is no attack.
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    // Settings of the machine's users must not change how repositories behave.
    for (int level : {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                      GIT_CONFIG_LEVEL_GLOBAL}) {
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    }
    git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_TREE, kMaxCachedTreeBytes);
    git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_COMMIT, kMaxCachedCommitBytes);
    git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, kCacheBytes);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, kMappedPackBytes);
  });
}

void ThrowGit(std::string_view doing) {
  const git_error* last = git_error_last();
  throw Error(Code::kInternal, std::string(doing) + ": " +
                                   (last != nullptr ? last->message : "unknown libgit2 error"));
}

}  // namespace hearth::storage::internal

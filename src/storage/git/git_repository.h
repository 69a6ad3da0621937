// A bare git repository on disk: reading trees and history, writing commits and refs, all through
// libgit2; the same folder is served by the stock git programs at the same time.
//
// Thread rule: open one GitRepository per request or job (about 0.1 ms); an object is used by one
// thread at a time. Several objects on the same folder are fine: ref updates are compare-and-swap.
// Errors: kNotFound with wire code RevisionNotFound / EntryNotFound where a client can cause it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"

namespace hearth::storage {

enum class EntryKind { kFile, kExecutable, kSymlink, kFolder, kSubmodule };

struct TreeEntry {
  std::string path;  // full path from the root, '/' separated
  EntryKind kind = EntryKind::kFile;
  GitOid oid;
  uint64_t size_bytes = 0;  // blob size; 0 for folders and submodules
};

struct Signature {
  std::string name;
  std::string email;
  TimePoint time;
};

struct CommitInfo {
  GitOid oid;
  GitOid tree;
  std::vector<GitOid> parents;
  std::string message;  // whole, UTF-8 (lossy)
  Signature author;
  Signature committer;
  std::string Title() const;        // first line
  std::string Description() const;  // after the first blank line
};

struct RefInfo {
  std::string name;  // "refs/heads/main"
  GitOid target;     // commit (tags are peeled)
};

// One change of a tree; later ones win over earlier ones on the same path.
struct PutFile {
  std::string path;
  std::variant<std::string, GitOid> content;  // bytes, or a blob that the repository already has
  EntryKind kind = EntryKind::kFile;
};
struct DeleteFile {
  std::string path;
};
struct DeleteFolder {
  std::string path;
};
using TreeChange = std::variant<PutFile, DeleteFile, DeleteFolder>;

struct NewCommit {
  std::string ref;                      // "refs/heads/main"
  std::optional<GitOid> expected_head;  // the ref's value now; nullopt = the ref must not exist
  std::vector<TreeChange> changes;
  std::string message;
  Signature author;
  bool allow_empty = true;  // false: no tree change -> returns the head
};

// The signature of the hub's own LFS pointers, as git-lfs writes them (docs: git-lfs/docs/spec.md).
struct LfsPointer {
  Sha256 oid;
  uint64_t size_bytes = 0;
};
std::optional<LfsPointer> ParseLfsPointer(std::string_view blob);
std::string MakeLfsPointer(const LfsPointer& pointer);
inline constexpr uint64_t kMaxPointerBytes = 1024;

class GitRepository {
 public:
  // Makes a bare repository whose HEAD is refs/heads/main; durable. Throws kConflict when the
  // folder exists.
  static void Create(const std::filesystem::path& folder);
  // Throws kNotFound. `more_objects` are further object folders to read from: a pre-receive check
  // passes git's quarantine folder ($GIT_QUARANTINE_PATH) to see what is being pushed.
  static GitRepository Open(const std::filesystem::path& folder,
                            const std::vector<std::filesystem::path>& more_objects = {});
  GitRepository(GitRepository&&) noexcept;
  GitRepository& operator=(GitRepository&&) noexcept;
  ~GitRepository();

  // Branch, tag, full ref name, "HEAD", 40-hex commit or an unambiguous short one (>= 7 digits).
  // Peels tags to commits. nullopt when unknown or when the name is not a legal one; there is no
  // rev-parse syntax. A branch wins over a tag, both over a short id. A 40-hex id counts when the
  // commit object is present: one that only a deleted ref reached still resolves until it is
  // pruned.
  std::optional<GitOid> FindCommit(std::string_view revision) const;
  std::optional<GitOid> FindRef(std::string_view full_name) const;
  std::vector<RefInfo> ListRefs() const;  // heads, tags, refs/pr/*, refs/convert/*; sorted by name
  // Every ref there is, also those that ListRefs hides, and HEAD when it names no branch; targets
  // are not peeled and may be any object. Sorted by name.
  std::vector<RefInfo> ListAllRefs() const;
  // Every LFS pointer in what the objects `from` reach (commits with all their history, trees,
  // tags), each blob once. Objects in `seen` are passed over with all that they reach; visited ones
  // are added, so that a second call costs only what is new. Throws kInternal for a damaged
  // repository; `seen` is then of no use.
  void ForEachPointer(const std::vector<GitOid>& from, std::unordered_set<GitOid>* seen,
                      const std::function<void(const LfsPointer&)>& each) const;
  CommitInfo ReadCommit(const GitOid& commit) const;
  // Every commit reachable from `from`, in the order of `git log` (by time, newest first). `skip`,
  // then up to `limit`.
  std::vector<CommitInfo> Log(const GitOid& from, size_t skip, size_t limit) const;
  size_t CountCommits(const GitOid& from) const;

  // One entry by path; "" is the root folder itself. nullopt when there is none.
  std::optional<TreeEntry> FindEntry(const GitOid& commit, std::string_view path) const;
  // Entries of a folder in git order, optionally the whole subtree (folders included, parents
  // first). Returns entries after `after_path` (exclusive, "" = from the start), at most `limit`.
  // Throws EntryNotFound when `folder` is not a folder.
  struct ListOptions {
    bool recursive = false;
    std::string after_path;
    size_t limit = SIZE_MAX;
    bool with_sizes = true;
  };
  std::vector<TreeEntry> ListTree(const GitOid& commit, std::string_view folder,
                                  const ListOptions& options) const;
  std::string ReadBlob(const GitOid& blob, uint64_t limit_bytes = 64ull << 20) const;
  uint64_t BlobSize(const GitOid& blob) const;
  bool HasObject(const GitOid& oid) const;
  // Last commit (first-parent walk) that changed each path; paths never found are left out. Stops
  // after `max_commits`.
  std::vector<std::pair<std::string, CommitInfo>> LastCommits(const GitOid& from,
                                                              const std::vector<std::string>& paths,
                                                              size_t max_commits = 20000) const;

  struct DiffEntry {
    enum class Kind { kAdded, kModified, kDeleted } kind;
    std::string path;
    GitOid old_oid, new_oid;
    uint64_t old_size = 0, new_size = 0;
  };
  // Against nullopt = the empty tree.
  std::vector<DiffEntry> Diff(const std::optional<GitOid>& from, const GitOid& to) const;
  // Unified text of the same (binary files named only), at most `limit_bytes`, then cut at a line
  // with a note.
  std::string UnifiedDiff(const std::optional<GitOid>& from, const GitOid& to,
                          uint64_t limit_bytes) const;

  // Writes blobs and trees, then the commit, then moves the ref by compare-and-swap; durable when
  // it returns (large commits go through one pack). Throws kPreconditionFailed when the ref is not
  // at expected_head, kNotFound/EntryNotFound when a deleted path does not exist, kInvalidArgument
  // for an illegal path or a file/folder clash.
  GitOid Commit(const NewCommit& commit);
  // Stores blobs durably that no commit names yet (`git prune` removes them if none ever does): for
  // commits whose contents do not fit into memory at once. Returns their ids in order.
  std::vector<GitOid> WriteBlobs(const std::vector<std::string>& contents);
  // Sets or creates refs; compare-and-swap; durable. nullopt target = delete. kPreconditionFailed
  // when it moved meanwhile (an annotated tag may be given by its commit), kConflict when a ref
  // exists whose name is a folder of this one or the reverse ("a" and "a/b").
  void UpdateRef(std::string_view full_name, const std::optional<GitOid>& expected,
                 const std::optional<GitOid>& target);
  // Keeps all others from moving this ref until the object ends or holds another one; a push to it
  // fails meanwhile as beside any lock, so only who lost its compare-and-swap again and again
  // should. False when it stays locked by somebody else for a second.
  bool HoldRef(std::string_view full_name);
  // Removes ref locks that a killed process left behind (ours at once, foreign ones when they are
  // older than 30 seconds); returns how many. Updates here do it on their own; the stock git
  // programs cannot, so call it before starting receive-pack.
  size_t RemoveStaleLocks();
  // Annotated when message is not empty. Throws kConflict when the tag exists.
  void CreateTag(std::string_view name, const GitOid& commit, std::string_view message,
                 const Signature& tagger);
  // A parentless commit with the tree of `commit`; not attached to a ref.
  GitOid MakeSquashed(const GitOid& commit, std::string_view message, const Signature& author);
  // For each commit or tag of `targets` one that shows no pointer to `objects` anywhere in its
  // history: made again with all that follows where one was, the same where none was. Folders that
  // become empty go, signatures of changed commits too. Moves no ref; durable.
  std::vector<GitOid> RewriteWithout(const std::vector<GitOid>& targets,
                                     const std::unordered_set<Sha256>& objects);
  // Copies the objects of `source` and its refs (for duplicate); durable. Object files are shared
  // as hard links where the file system allows; objects that no ref reaches come along.
  // kConflict when `target` exists.
  static void CloneInto(const std::filesystem::path& source, const std::filesystem::path& target);

  const std::filesystem::path& folder() const;

 private:
  class Impl;
  explicit GitRepository(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Legal as a path in a repository tree: no empty, "." or ".." part, no ".git" part (any case), no
// backslash tricks, no NUL or control characters, valid UTF-8, at most 1024 bytes and 50 parts.
// Returns the reason when not.
std::optional<std::string> PathFault(std::string_view path);
// Legal as a branch or tag name (git check-ref-format) and not reserved by the hub. Returns the
// reason when not.
std::optional<std::string> RefNameFault(std::string_view short_name);

}  // namespace hearth::storage

// Commits through the API: the LFS rule, the checks that a push gets too, and the write itself.
// Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "hub/actor.h"
#include "hub/objects.h"
#include "hub/repos.h"
#include "storage/git/git_repository.h"

namespace hearth::hub {

inline constexpr uint64_t kMaxRegularFileBytes = 10ull << 20;

// .gitattributes as far as the hub needs it: does a path use LFS (`filter=lfs`), is it explicitly
// not, or unsaid?
class GitAttributes {
 public:
  static GitAttributes Parse(std::string_view text);  // lenient, bounded
  enum class Lfs { kUnsaid, kLfs, kNotLfs };
  Lfs LfsFor(std::string_view path) const;  // last matching line wins

  // Opaque: the compiled patterns, see git_attributes.cc.
  struct Rules;

 private:
  std::shared_ptr<const Rules> rules_;
};
// Same pattern language for .gitignore.
class GitIgnore {
 public:
  static GitIgnore Parse(std::string_view text);
  bool Ignores(std::string_view path) const;

  struct Rules;

 private:
  std::shared_ptr<const Rules> rules_;
};
std::string_view DefaultGitAttributes(RepoType type);
// The line (without end of line) that puts exactly this path under LFS.
std::string LfsAttributesLine(std::string_view path);
// NUL byte or not text in the sample, as the push hook judges it. Clients send the first
// kSampleBytes of a file to preupload, so commits and pushes judge by the same bytes: otherwise a
// client would be told "regular" and then refused.
inline constexpr size_t kSampleBytes = 512;
bool LooksBinary(std::string_view sample);

struct PreuploadFile {
  std::string path;
  uint64_t size_bytes = 0;
  std::string sample;
};
struct PreuploadAnswer {
  std::string path;
  bool lfs = false;
  bool ignored = false;
  std::optional<std::string> oid;  // blob sha1 or LFS sha256 of what is there now
};

struct CommitFile {
  std::string path;
  std::string content;  // decoded
  // For a request too large for memory: `content` stays empty, `load` reads it again when it is
  // needed (any number of times), and these two say what the checks must know.
  std::function<std::string()> load;
  uint64_t size_bytes = 0;
  std::string sample;  // the first storage::kMaxPointerBytes bytes
};
struct CommitLfsFile {
  std::string path;
  Sha256 oid;
  std::optional<uint64_t> size_bytes;
};
struct CommitDelete {
  std::string path;
  enum class Kind { kFile, kFolder, kEither } kind;
};
using CommitOperation = std::variant<CommitFile, CommitLfsFile, CommitDelete>;

struct CommitRequest {
  std::string revision;  // branch name as the client gave it
  std::string summary;
  std::string description;
  std::optional<std::string> parent_commit;
  std::vector<CommitOperation> operations;
};
struct CommitResult {
  GitOid oid;
  bool changed = true;  // false: nothing to do, oid is the head
};

class Commits {
 public:
  Commits(Repos& repos, Objects& objects, Accounts& accounts, Clock& clock);

  std::vector<PreuploadAnswer> Preupload(const RepoHandle& repo, std::string_view revision,
                                         const std::vector<PreuploadFile>& files,
                                         const std::optional<std::string>& git_attributes,
                                         const std::optional<std::string>& git_ignore) const;
  // Right::kWrite. Errors of table 4.1: 412, RevisionNotFound, EntryNotFound, the push-hook texts,
  // unknown LFS oid, invalid card YAML.
  CommitResult Apply(const Actor& actor, const RepoHandle& repo, const CommitRequest& request);

  void CreateBranch(const Actor& actor, const RepoHandle& repo, std::string_view branch,
                    const std::optional<std::string>& start, bool empty, bool overwrite);
  void DeleteBranch(const RepoHandle& repo, std::string_view branch);
  void CreateTag(const Actor& actor, const RepoHandle& repo, std::string_view tag,
                 std::string_view revision, std::string_view message);
  void DeleteTag(const RepoHandle& repo, std::string_view tag);
  GitOid SuperSquash(const Actor& actor, const RepoHandle& repo, std::string_view branch,
                     std::string_view message);

  // Makes every branch and tag again without the files whose content is one of `objects`, in all of
  // their history. Right::kWrite.
  void RemoveObjects(const RepoHandle& repo, const std::unordered_set<Sha256>& objects);

  // Resolves a revision or throws RevisionNotFound `Invalid rev id: X`.
  static GitOid ResolveRevision(const storage::GitRepository& git, std::string_view revision);
  // A new tree's entries that a push or commit brings: checks size, binary, pointers with grants,
  // README YAML, path rules. Throws kInvalidArgument with the hook texts of section 4.3. Used by
  // the git pre-receive check.
  void CheckIncoming(const RepoHandle& repo, const Actor& actor, const storage::GitRepository& git,
                     const std::optional<GitOid>& before, const GitOid& after,
                     std::string_view ref) const;

 private:
  Repos& repos_;
  Objects& objects_;
  Accounts& accounts_;
  Clock& clock_;
};

}  // namespace hearth::hub

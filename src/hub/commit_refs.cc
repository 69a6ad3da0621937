// Branches, tags and squashing.
#include "base/error.h"
#include "hub/commits.h"
#include "hub/internal/ref_change.h"
#include "hub/internal/repos_impl.h"

namespace hearth::hub {

using storage::GitRepository;

namespace {

[[noreturn]] void ThrowRefExists(const std::string& ref) {
  throw Error(Code::kConflict, "Reference " + ref + " already exists");
}

void CheckRefName(std::string_view what, std::string_view name) {
  if (std::optional<std::string> fault = storage::RefNameFault(name)) {
    throw Error(Code::kInvalidArgument, "Invalid " + std::string(what) + " name '" +
                                            std::string(name.substr(0, 200)) + "': " + *fault);
  }
}

// A commit without a parent that holds only what every new repository holds. Made on a ref of its
// own, because the branch may exist and is replaced in one step.
GitOid MakeEmptyStart(GitRepository& git, const RepoRecord& repo,
                      const storage::Signature& author) {
  storage::NewCommit commit;
  commit.ref = "refs/hearth/empty-branch";
  commit.changes = {
      storage::PutFile{".gitattributes", std::string(DefaultGitAttributes(repo.type))}};
  commit.message = "initial commit";
  commit.author = author;
  // One that a crash left behind.
  if (std::optional<GitOid> left = git.FindRef(commit.ref)) {
    git.UpdateRef(commit.ref, left, std::nullopt);
  }
  GitOid oid = git.Commit(commit);
  git.UpdateRef(commit.ref, oid, std::nullopt);
  return oid;
}

}  // namespace

void Commits::CreateBranch(const Actor& actor, const RepoHandle& repo, std::string_view branch,
                           const std::optional<std::string>& start, bool empty, bool overwrite) {
  repo.Require(Right::kWrite);
  CheckRefName("branch", branch);
  std::string ref = "refs/heads/" + std::string(branch);
  std::unique_lock writer = repos_.LockForWrite(repo.record());
  RequireAlive(repos_, repo);
  GitRepository git = GitRepository::Open(repo.git_folder());
  std::optional<GitOid> existing = git.FindRef(ref);
  if (existing && !overwrite) ThrowRefExists(ref);
  GitOid target = empty ? MakeEmptyStart(git, repo.record(), MakeSignature(actor, clock_.Now()))
                        : ResolveRevision(git, start.value_or("main"));
  // A commit that no ref reached may have lost its large objects.
  if (!empty) CheckIncoming(repo, actor, git, std::nullopt, target, ref);
  RefChange change(repos_, repo, git);
  git.UpdateRef(ref, existing, target);
  change.Finish();
}

void Commits::DeleteBranch(const RepoHandle& repo, std::string_view branch) {
  repo.Require(Right::kWrite);
  std::string ref = BranchRefOf(branch).value_or("");
  if (ref == "refs/heads/main") throw Error(Code::kForbidden, "Cannot delete refs/heads/main");
  std::unique_lock writer = repos_.LockForWrite(repo.record());
  RequireAlive(repos_, repo);
  GitRepository git = GitRepository::Open(repo.git_folder());
  std::optional<GitOid> existing = ref.empty() ? std::nullopt : git.FindRef(ref);
  if (!existing) ThrowInvalidRevision(branch);
  RefChange change(repos_, repo, git);
  git.UpdateRef(ref, existing, std::nullopt);
  change.Finish();
}

void Commits::CreateTag(const Actor& actor, const RepoHandle& repo, std::string_view tag,
                        std::string_view revision, std::string_view message) {
  repo.Require(Right::kWrite);
  CheckRefName("tag", tag);
  std::unique_lock writer = repos_.LockForWrite(repo.record());
  RequireAlive(repos_, repo);
  GitRepository git = GitRepository::Open(repo.git_folder());
  GitOid commit = ResolveRevision(git, revision);
  std::string ref = "refs/tags/" + std::string(tag);
  if (git.FindRef(ref)) ThrowRefExists(ref);
  CheckIncoming(repo, actor, git, std::nullopt, commit, ref);
  RefChange change(repos_, repo, git);
  git.CreateTag(tag, commit, message, MakeSignature(actor, clock_.Now()));
  change.Finish();
}

void Commits::DeleteTag(const RepoHandle& repo, std::string_view tag) {
  repo.Require(Right::kWrite);
  std::string ref = (tag.starts_with("refs/tags/") ? "" : "refs/tags/") + std::string(tag);
  std::unique_lock writer = repos_.LockForWrite(repo.record());
  RequireAlive(repos_, repo);
  GitRepository git = GitRepository::Open(repo.git_folder());
  std::optional<GitOid> existing = git.FindRef(ref);
  if (!existing) ThrowInvalidRevision(tag);
  RefChange change(repos_, repo, git);
  git.UpdateRef(ref, existing, std::nullopt);
  change.Finish();
}

GitOid Commits::SuperSquash(const Actor& actor, const RepoHandle& repo, std::string_view branch,
                            std::string_view message) {
  repo.Require(Right::kWrite);
  std::optional<std::string> ref = BranchRefOf(branch);
  if (!ref) ThrowInvalidRevision(branch);
  std::string text(message);
  if (text.empty()) text = "Super-squash branch '" + std::string(branch) + "'";
  std::unique_lock writer = repos_.LockForWrite(repo.record());
  RequireAlive(repos_, repo);
  GitRepository git = GitRepository::Open(repo.git_folder());
  for (int attempt = 0; attempt < kMaxWriteAttempts; ++attempt) {
    if (attempt >= kOpenWriteAttempts && !git.HoldRef(*ref)) continue;
    std::optional<GitOid> head = git.FindRef(*ref);
    if (!head) ThrowInvalidRevision(branch);
    GitOid squashed = git.MakeSquashed(*head, text, MakeSignature(actor, clock_.Now()));
    RefChange change(repos_, repo, git);
    try {
      git.UpdateRef(*ref, head, squashed);
      change.Finish();
      return squashed;
    } catch (const Error& error) {
      if (error.code() != Code::kPreconditionFailed) throw;
    }
  }
  throw Error(Code::kConflict, "The branch keeps moving; try again");
}

void Commits::RemoveObjects(const RepoHandle& repo, const std::unordered_set<Sha256>& objects) {
  repo.Require(Right::kWrite);
  std::unique_lock writer = repos_.LockForWrite(repo.record());
  RequireAlive(repos_, repo);
  GitRepository git = GitRepository::Open(repo.git_folder());
  for (int attempt = 0; attempt < kMaxWriteAttempts; ++attempt) {
    std::vector<storage::RefInfo> refs = git.ListAllRefs();
    std::vector<GitOid> targets;
    for (const storage::RefInfo& ref : refs) targets.push_back(ref.target);
    std::vector<GitOid> rewritten = git.RewriteWithout(targets, objects);
    RefChange change(repos_, repo, git);
    try {
      for (size_t i = 0; i < refs.size(); ++i) {
        if (rewritten[i] != targets[i]) git.UpdateRef(refs[i].name, targets[i], rewritten[i]);
      }
      change.Finish();
      return;
    } catch (const Error& error) {
      if (error.code() != Code::kPreconditionFailed) throw;
    }
  }
  throw Error(Code::kConflict, "The repository keeps changing; try again");
}

}  // namespace hearth::hub

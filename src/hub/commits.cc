#include "hub/commits.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "hub/internal/content_rules.h"
#include "hub/internal/git_text.h"
#include "hub/internal/ref_change.h"

namespace hearth::hub {

using storage::GitRepository;

namespace {

// What a client compares its local file with: the SHA-256 of an LFS file, else the blob id.
std::optional<std::string> CurrentOid(const GitRepository& git, const GitOid& commit,
                                      std::string_view path) {
  std::optional<storage::TreeEntry> entry = git.FindEntry(commit, path);
  if (!entry || (entry->kind != storage::EntryKind::kFile &&
                 entry->kind != storage::EntryKind::kExecutable)) {
    return std::nullopt;
  }
  if (entry->size_bytes <= storage::kMaxPointerBytes) {
    if (auto pointer = storage::ParseLfsPointer(git.ReadBlob(entry->oid)))
      return pointer->oid.Hex();
  }
  return entry->oid.Hex();
}

}  // namespace

Commits::Commits(Repos& repos, Objects& objects, Accounts& accounts, Clock& clock)
    : repos_(repos), objects_(objects), accounts_(accounts), clock_(clock) {}

std::string ReadTextFile(const GitRepository& git, const GitOid& commit, std::string_view path) {
  std::optional<storage::TreeEntry> entry = git.FindEntry(commit, path);
  bool readable = entry && (entry->kind == storage::EntryKind::kFile ||
                            entry->kind == storage::EntryKind::kExecutable);
  if (!readable || entry->size_bytes > kMaxRegularFileBytes) return "";
  return git.ReadBlob(entry->oid);
}

void ThrowInvalidRevision(std::string_view revision) {
  throw Error(Code::kNotFound, "Invalid rev id: " + std::string(revision.substr(0, 200)))
      .WithWireCode("RevisionNotFound");
}

GitOid Commits::ResolveRevision(const GitRepository& git, std::string_view revision) {
  std::optional<GitOid> commit = git.FindCommit(revision);
  if (!commit) ThrowInvalidRevision(revision);
  return *commit;
}

std::optional<std::string> BranchRefOf(std::string_view revision) {
  if (revision == "HEAD") return "refs/heads/main";
  if (revision.starts_with("refs/heads/")) return std::string(revision);
  if (revision.starts_with("refs/") || revision.empty()) return std::nullopt;
  return "refs/heads/" + std::string(revision);
}

void RequireAlive(const Repos& repos, const RepoHandle& repo) {
  if (repos.FindById(repo.record().id)) return;
  throw Error(Code::kNotFound, "Repository not found").WithWireCode("RepoNotFound");
}

RefChange::RefChange(Repos& repos, const RepoHandle& repo, const GitRepository& git)
    : repos_(repos), repo_(repo), before_(git.ListRefs()) {
  repos_.MarkIndexStale(repo_);
}

void RefChange::Finish() {
  finished_ = true;
  repos_.AfterRefsChanged(repo_, before_);
}

RefChange::~RefChange() {
  if (finished_) return;
  try {
    repos_.AfterRefsChanged(repo_, before_);
  } catch (const std::exception& fault) {
    log::LogError("the index of a repository could not be updated; it is checked at the next start",
                  {{"repo", repo_.record().FullName()}, {"reason", fault.what()}});
  }
}

std::vector<PreuploadAnswer> Commits::Preupload(
    const RepoHandle& repo, std::string_view revision, const std::vector<PreuploadFile>& files,
    const std::optional<std::string>& git_attributes,
    const std::optional<std::string>& git_ignore) const {
  GitRepository git = GitRepository::Open(repo.git_folder());
  GitOid commit = ResolveRevision(git, revision);
  GitAttributes attributes = GitAttributes::Parse(
      git_attributes ? *git_attributes : ReadTextFile(git, commit, ".gitattributes"));
  GitIgnore ignore = GitIgnore::Parse(ReadTextFile(git, commit, ".gitignore"));
  GitIgnore sent_ignore = GitIgnore::Parse(git_ignore.value_or(""));
  ContentRules rules(repo.record().type, {}, "");

  std::vector<PreuploadAnswer> answers;
  answers.reserve(files.size());
  for (const PreuploadFile& file : files) {
    rules.CheckPath(file.path);
    PreuploadAnswer answer;
    answer.path = file.path;
    switch (attributes.LfsFor(file.path)) {
      case GitAttributes::Lfs::kLfs:
        answer.lfs = true;
        break;
      case GitAttributes::Lfs::kNotLfs:
        answer.lfs = file.size_bytes > kMaxRegularFileBytes;
        break;
      case GitAttributes::Lfs::kUnsaid:
        answer.lfs = file.size_bytes > kMaxRegularFileBytes || LooksBinary(file.sample);
        break;
    }
    answer.ignored = ignore.Ignores(file.path) || sent_ignore.Ignores(file.path);
    answer.oid = CurrentOid(git, commit, file.path);
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace hearth::hub

// One API commit: checks, large objects, then git under the repository's write lock.
#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "hub/internal/content_rules.h"
#include "hub/internal/git_text.h"
#include "hub/internal/ref_change.h"
#include "hub/internal/repos_impl.h"

namespace hearth::hub {

using storage::GitRepository;

namespace {

// Contents that are loaded from the request again go to git in batches of this size: large enough
// for few packs, small enough for memory.
constexpr size_t kBatchBytes = 32u << 20;

std::string_view SampleOf(const CommitFile& file) {
  return file.load ? std::string_view(file.sample) : std::string_view(file.content);
}

uint64_t SizeOf(const CommitFile& file) {
  return file.load ? file.size_bytes : file.content.size();
}

std::string ContentOf(const CommitFile& file) { return file.load ? file.load() : file.content; }

// Does a client's parentCommit (whole or shortened, any case) name the head?
bool NamesCommit(std::string_view given, const GitOid& head) {
  std::string lower = AsciiLower(given);
  bool hex = lower.size() >= 5 && lower.size() <= 40 && IsLowerHex(lower);
  if (!hex) {
    throw Error(Code::kInvalidArgument, "parentCommit must be a commit id of 5 to 40 hex digits");
  }
  return head.Hex().starts_with(lower);
}

std::string MessageOf(const CommitRequest& request) {
  std::string message = request.summary;
  if (!request.description.empty()) message += "\n\n" + request.description;
  return message;
}

// Everything about one commit that does not depend on the head.
class Plan {
 public:
  Plan(const Objects& objects, const RepoHandle& repo, const CommitRequest& request)
      : objects_(objects), repo_(repo), request_(request) {}

  // Makes sure that the repository holds every large object that the commit names.
  void ClaimObjects(const Actor& actor, Objects& objects);
  // The changes on top of `head`, the checks of section 4.3 done.
  std::vector<storage::TreeChange> ChangesOn(GitRepository& git, const GitOid& head,
                                             const std::string& ref);

 private:
  storage::TreeChange DeletionOn(const GitRepository& git, const GitOid& head,
                                 const CommitDelete& deletion) const;
  void Check(const std::string& ref, const GitAttributes& attributes) const;
  std::string AttributesOn(const GitRepository& git, const GitOid& head) const;
  void WriteLargeRequest(GitRepository& git);

  const Objects& objects_;
  const RepoHandle& repo_;
  const CommitRequest& request_;
  std::vector<uint64_t> lfs_sizes_;                      // by order of the lfs operations
  std::unordered_map<const CommitFile*, GitOid> blobs_;  // loaded files that git has by now
};

void Plan::ClaimObjects(const Actor& actor, Objects& objects) {
  for (const CommitOperation& operation : request_.operations) {
    const auto* file = std::get_if<CommitLfsFile>(&operation);
    if (file == nullptr) continue;
    std::optional<uint64_t> size = objects.Claim(repo_.record(), file->oid);
    if (!size && objects.GrantFromReadable(actor, repo_, file->oid)) {
      size = objects.FindIn(repo_.record(), file->oid);
    }
    if (!size) {
      throw Error(Code::kInvalidArgument, "The LFS object " + file->oid.Hex() + " of '" +
                                              file->path +
                                              "' is not in this repository: upload it first");
    }
    if (file->size_bytes && *file->size_bytes != *size) {
      throw Error(Code::kInvalidArgument, "The LFS object " + file->oid.Hex() + " of '" +
                                              file->path + "' has " + std::to_string(*size) +
                                              " bytes, not " + std::to_string(*file->size_bytes));
    }
    lfs_sizes_.push_back(*size);
  }
}

void Plan::Check(const std::string& ref, const GitAttributes& attributes) const {
  ContentRules rules(repo_.record().type, attributes, ref);
  for (const CommitOperation& operation : request_.operations) {
    std::visit([&](const auto& any) { rules.CheckPath(any.path); }, operation);
    const auto* file = std::get_if<CommitFile>(&operation);
    if (file == nullptr) continue;
    rules.CheckFile(file->path, SizeOf(*file), SampleOf(*file));
    if (file->path == "README.md") rules.CheckCard(file->path, ContentOf(*file));
    if (SizeOf(*file) > storage::kMaxPointerBytes) continue;
    std::optional<storage::LfsPointer> pointer = storage::ParseLfsPointer(SampleOf(*file));
    if (pointer && objects_.Claim(repo_.record(), pointer->oid) != pointer->size_bytes) {
      rules.AddMissingObject(file->path, pointer->oid);
    }
  }
  rules.ThrowIfRefused();
}

// .gitattributes as this commit would leave it without the lines for its LFS files.
std::string Plan::AttributesOn(const GitRepository& git, const GitOid& head) const {
  std::optional<std::string> text;
  for (const CommitOperation& operation : request_.operations) {
    if (const auto* file = std::get_if<CommitFile>(&operation)) {
      if (file->path == ".gitattributes") text = ContentOf(*file);
    } else if (const auto* deletion = std::get_if<CommitDelete>(&operation)) {
      if (deletion->path == ".gitattributes") text = "";
    }
  }
  return text ? *text : ReadTextFile(git, head, ".gitattributes");
}

storage::TreeChange Plan::DeletionOn(const GitRepository& git, const GitOid& head,
                                     const CommitDelete& deletion) const {
  switch (deletion.kind) {
    case CommitDelete::Kind::kFile:
      return storage::DeleteFile{deletion.path};
    case CommitDelete::Kind::kFolder:
      return storage::DeleteFolder{deletion.path};
    case CommitDelete::Kind::kEither:
      break;
  }
  std::optional<storage::TreeEntry> entry = git.FindEntry(head, deletion.path);
  if (entry && entry->kind == storage::EntryKind::kFolder) {
    return storage::DeleteFolder{deletion.path};
  }
  return storage::DeleteFile{deletion.path};
}

// Stores the files that do not fit into memory as blobs that no commit names yet.
void Plan::WriteLargeRequest(GitRepository& git) {
  std::vector<const CommitFile*> files;
  std::vector<std::string> contents;
  size_t bytes = 0;
  auto flush = [&] {
    std::vector<GitOid> oids = git.WriteBlobs(contents);
    for (size_t i = 0; i < files.size(); ++i) blobs_[files[i]] = oids[i];
    files.clear();
    contents.clear();
    bytes = 0;
  };
  for (const CommitOperation& operation : request_.operations) {
    const auto* file = std::get_if<CommitFile>(&operation);
    if (file == nullptr || !file->load || blobs_.contains(file)) continue;
    contents.push_back(file->load());
    files.push_back(file);
    bytes += contents.back().size();
    if (bytes >= kBatchBytes) flush();
  }
  if (!files.empty()) flush();
}

std::vector<storage::TreeChange> Plan::ChangesOn(GitRepository& git, const GitOid& head,
                                                 const std::string& ref) {
  std::string attributes_text = AttributesOn(git, head);
  GitAttributes attributes = GitAttributes::Parse(attributes_text);
  Check(ref, attributes);
  WriteLargeRequest(git);

  std::vector<storage::TreeChange> changes;
  changes.reserve(request_.operations.size() + 1);
  std::string added_lines;
  size_t lfs = 0;
  for (const CommitOperation& operation : request_.operations) {
    if (const auto* file = std::get_if<CommitFile>(&operation)) {
      storage::PutFile put{file->path, {}};
      if (file->load) {
        put.content = blobs_.at(file);
      } else {
        put.content = file->content;
      }
      changes.emplace_back(std::move(put));
    } else if (const auto* large = std::get_if<CommitLfsFile>(&operation)) {
      changes.emplace_back(
          storage::PutFile{large->path, storage::MakeLfsPointer({large->oid, lfs_sizes_[lfs++]})});
      if (attributes.LfsFor(large->path) != GitAttributes::Lfs::kLfs) {
        added_lines += LfsAttributesLine(large->path) + "\n";
      }
    } else {
      changes.push_back(DeletionOn(git, head, std::get<CommitDelete>(operation)));
    }
  }
  if (!added_lines.empty()) {
    if (!attributes_text.empty() && attributes_text.back() != '\n') attributes_text += '\n';
    changes.emplace_back(storage::PutFile{".gitattributes", attributes_text + added_lines});
  }
  return changes;
}

[[noreturn]] void ThrowBranchMoved() {
  throw Error(Code::kPreconditionFailed,
              "The branch was updated since you opened this page. Please refresh and try again.");
}

}  // namespace

CommitResult Commits::Apply(const Actor& actor, const RepoHandle& repo,
                            const CommitRequest& request) {
  repo.Require(Right::kWrite);
  if (TrimAscii(request.summary).empty()) {
    throw Error(Code::kInvalidArgument, "A commit needs a summary");
  }
  std::optional<std::string> ref = BranchRefOf(request.revision);
  if (!ref) ThrowInvalidRevision(request.revision);
  Plan plan(objects_, repo, request);

  std::unique_lock writer = repos_.LockForWrite(repo.record());
  // Under the lock: an object that is claimed here cannot be given up before the commit names it.
  plan.ClaimObjects(actor, objects_);
  RequireAlive(repos_, repo);
  GitRepository git = GitRepository::Open(repo.git_folder());
  for (int attempt = 0; attempt < kMaxWriteAttempts; ++attempt) {
    if (attempt >= kOpenWriteAttempts && !git.HoldRef(*ref)) continue;
    std::optional<GitOid> head = git.FindRef(*ref);
    if (!head) ThrowInvalidRevision(request.revision);
    if (request.parent_commit && !NamesCommit(*request.parent_commit, *head)) ThrowBranchMoved();

    storage::NewCommit commit;
    commit.ref = *ref;
    commit.expected_head = *head;
    commit.changes = plan.ChangesOn(git, *head, *ref);
    commit.message = MessageOf(request);
    commit.author = MakeSignature(actor, clock_.Now());
    commit.allow_empty = false;
    RefChange change(repos_, repo, git);
    try {
      GitOid oid = git.Commit(commit);
      change.Finish();
      return {oid, oid != *head};
    } catch (const Error& error) {
      // A push moved the branch after we looked: look again, and judge parentCommit anew.
      if (error.code() == Code::kPreconditionFailed) continue;
      if (error.wire_code() == "EntryNotFound") {
        throw Error(Code::kNotFound, "A file with this name doesn't exist")
            .WithWireCode("EntryNotFound");
      }
      throw;
    }
  }
  throw Error(Code::kConflict, "The branch keeps moving; try again");
}

}  // namespace hearth::hub

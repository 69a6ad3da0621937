// Names of revisions: looking them up, listing, moving and tagging.
#include <algorithm>

#include "base/bytes.h"
#include "storage/git/git_repository.h"
#include "storage/git/internal/commit_text.h"
#include "storage/git/internal/lock_file.h"
#include "storage/git/internal/repository_impl.h"

namespace hearth::storage {
namespace {

using namespace internal;

constexpr size_t kFullHex = 2 * GitOid::kBytes;
// As git abbreviates by default; shorter ones are words more often than ids.
constexpr size_t kMinShortHex = 7;
constexpr std::string_view kListedRefs[] = {"refs/heads/", "refs/tags/", "refs/pr/",
                                            "refs/convert/"};

bool IsRefName(const std::string& name) {
  // libgit2 holds names in a buffer of 1024 bytes, file systems parts of 255.
  constexpr size_t kMaxNameBytes = 1000, kMaxPartBytes = 250;
  if (name.size() > kMaxNameBytes || name.find('\0') != std::string::npos) return false;
  for (std::string_view part : Split(name, '/')) {
    if (part.size() > kMaxPartBytes) return false;
  }
  int valid = 0;
  return git_reference_name_is_valid(&valid, name.c_str()) == 0 && valid != 0;
}

bool IsListed(std::string_view name) {
  return std::any_of(std::begin(kListedRefs), std::end(kListedRefs),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

// The id that a ref ends at, through symbolic refs, not peeled.
std::optional<GitOid> Resolve(git_repository* repository, const std::string& name) {
  if (!IsRefName(name)) return std::nullopt;
  git_oid id;
  int result = git_reference_name_to_id(&id, repository, name.c_str());
  if (result == GIT_ENOTFOUND || result == GIT_EINVALIDSPEC) return std::nullopt;
  Check(result, "read ref " + name);
  return FromGit(id);
}

}  // namespace

void internal::CheckFullRefName(std::string_view name) {
  if (!name.starts_with("refs/") || !IsRefName(std::string(name))) {
    throw Error(Code::kInvalidArgument, "not a full ref name: " + std::string(name));
  }
}

std::optional<GitOid> GitRepository::FindRef(std::string_view full_name) const {
  if (full_name != "HEAD" && !full_name.starts_with("refs/")) return std::nullopt;
  std::optional<GitOid> target = Resolve(impl_->repository(), std::string(full_name));
  return target ? impl_->PeelToCommit(*target) : std::nullopt;
}

std::optional<GitOid> GitRepository::FindCommit(std::string_view revision) const {
  std::string name(revision);
  std::string hex = AsciiLower(revision);
  bool is_hex = hex.size() >= kMinShortHex && hex.size() <= kFullHex && IsLowerHex(hex);
  if (is_hex && hex.size() == kFullHex) {
    GitOid oid = *GitOid::FromHex(hex);
    std::optional<Impl::Header> header = impl_->FindHeader(oid);
    if (header && header->type == GIT_OBJECT_COMMIT) return oid;
    // An annotated tag by its own id: what a push of one names.
    if (header && header->type == GIT_OBJECT_TAG) return impl_->PeelToCommit(oid);
  }
  if (name == "HEAD" || name.starts_with("refs/")) return FindRef(name);
  for (const char* prefix : {"refs/heads/", "refs/tags/"}) {
    if (std::optional<GitOid> commit = FindRef(prefix + name)) return commit;
  }
  if (!is_hex || hex.size() == kFullHex) return std::nullopt;
  git_oid prefix;
  Check(git_oid_fromstrn(&prefix, hex.data(), hex.size()), "parse short id");
  git_object* raw = nullptr;
  int result =
      git_object_lookup_prefix(&raw, impl_->repository(), &prefix, hex.size(), GIT_OBJECT_COMMIT);
  if (result < 0) return std::nullopt;  // unknown, ambiguous or not a commit
  ObjectHandle commit(raw);
  return FromGit(*git_object_id(raw));
}

std::vector<RefInfo> GitRepository::ListRefs() const {
  std::vector<RefInfo> refs;
  ForEachReference(impl_->repository(), [&](const git_reference* ref) {
    std::string name = git_reference_name(ref);
    if (!IsListed(name)) return;
    std::optional<GitOid> target;
    if (git_reference_type(ref) == GIT_REFERENCE_DIRECT) {
      target = FromGit(*git_reference_target(ref));
    } else {
      target = Resolve(impl_->repository(), name);
    }
    if (target) target = impl_->PeelToCommit(*target);
    if (target) refs.push_back({std::move(name), *target});
  });
  std::sort(refs.begin(), refs.end(),
            [](const RefInfo& a, const RefInfo& b) { return a.name < b.name; });
  return refs;
}

void GitRepository::UpdateRef(std::string_view full_name, const std::optional<GitOid>& expected,
                              const std::optional<GitOid>& target) {
  CheckFullRefName(full_name);
  if (target && !impl_->FindHeader(*target)) {
    throw RevisionNotFound("no object " + target->Hex());
  }
  impl_->Refs().Update(std::string(full_name), expected, target);
}

bool GitRepository::HoldRef(std::string_view full_name) {
  CheckFullRefName(full_name);
  return impl_->HoldRef(std::string(full_name));
}

size_t GitRepository::RemoveStaleLocks() {
  std::vector<std::filesystem::path> locks = {impl_->folder() / "packed-refs.lock",
                                              impl_->folder() / "HEAD.lock"};
  std::error_code error;
  std::filesystem::recursive_directory_iterator entries(impl_->folder() / "refs", error);
  for (; !error && entries != std::filesystem::recursive_directory_iterator();
       entries.increment(error)) {
    if (entries->path().extension() == ".lock") locks.push_back(entries->path());
  }
  return static_cast<size_t>(std::count_if(locks.begin(), locks.end(), [](const auto& lock) {
    return std::filesystem::exists(lock) && RemoveStaleLock(lock);
  }));
}

void GitRepository::CreateTag(std::string_view name, const GitOid& commit, std::string_view message,
                              const Signature& tagger) {
  if (std::optional<std::string> fault = RefNameFault(name)) {
    throw Error(Code::kInvalidArgument, "tag name " + *fault);
  }
  impl_->TreeOf(commit);  // throws when there is no such commit
  std::string ref = "refs/tags/" + std::string(name);
  if (Resolve(impl_->repository(), ref)) {
    throw Error(Code::kConflict, "tag " + std::string(name) + " exists already");
  }
  GitOid target = commit;
  if (!message.empty()) {
    std::string text = "object " + commit.Hex() + "\ntype commit\ntag " + std::string(name) +
                       "\ntagger " + SignatureLine(tagger) + "\n\n" + CleanMessage(message);
    if (!text.ends_with('\n')) text += '\n';
    ObjectBatch batch = impl_->NewBatch();
    target = batch.AddOwned(GIT_OBJECT_TAG, std::move(text));
    batch.Store();
  }
  UpdateRef(ref, std::nullopt, target);
}

}  // namespace hearth::storage

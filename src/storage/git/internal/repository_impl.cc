#include "storage/git/internal/repository_impl.h"

#include <git2/sys/repository.h>

#include "storage/git/internal/loose_backend.h"

namespace hearth::storage {

using namespace internal;

namespace {

void AddObjects(git_odb* odb, const std::filesystem::path& objects) {
  // Packs are asked first: most objects of an old repository are there.
  constexpr int kLoosePriority = 1, kPackPriority = 2;
  git_odb_backend* packs = nullptr;
  Check(git_odb_backend_pack(&packs, objects.c_str()), "open packs of " + objects.string());
  Check(git_odb_add_backend(odb, packs, kPackPriority), "add packs");
  Check(git_odb_add_backend(odb, NewLooseBackend(objects), kLoosePriority), "add loose objects");
}

}  // namespace

GitRepository::Impl::Impl(std::filesystem::path folder, RepositoryHandle repository,
                          const std::vector<std::filesystem::path>& more_objects)
    : folder_(std::move(folder)), repository_(std::move(repository)) {
  git_odb* odb = nullptr;
  Check(git_odb_new(&odb), "open objects of " + folder_.string());
  odb_.reset(odb);
  AddObjects(odb, folder_ / "objects");
  for (const std::filesystem::path& objects : more_objects) AddObjects(odb, objects);
  Check(git_repository_set_odb(repository_.get(), odb), "use objects of " + folder_.string());
}

OdbObjectHandle GitRepository::Impl::ReadObject(const GitOid& oid, git_object_t type) const {
  git_oid id = ToGit(oid);
  git_odb_object* raw = nullptr;
  Check(git_odb_read(&raw, odb_.get(), &id), "read object " + oid.Hex());
  OdbObjectHandle object(raw);
  if (git_odb_object_type(raw) != type) {
    throw Error(Code::kInternal, "object " + oid.Hex() + " is no " + git_object_type2string(type));
  }
  return object;
}

std::optional<GitRepository::Impl::Header> GitRepository::Impl::FindHeader(
    const GitOid& oid) const {
  git_oid id = ToGit(oid);
  size_t size_bytes = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  int result = git_odb_read_header(&size_bytes, &type, odb_.get(), &id);
  if (result == GIT_ENOTFOUND) return std::nullopt;
  Check(result, "read header of object " + oid.Hex());
  return Header{type, size_bytes};
}

GitRepository::Impl::CommitLinks GitRepository::Impl::ReadLinks(const GitOid& commit) const {
  // "tree <hex>\n", then "parent <hex>\n" for each parent: enough for walks, without the cost of
  // parsing names and dates.
  constexpr std::string_view kTree = "tree ", kParent = "parent ";
  constexpr size_t kHex = 2 * GitOid::kBytes;
  std::optional<Header> header = FindHeader(commit);
  if (!header || header->type != GIT_OBJECT_COMMIT) {
    throw RevisionNotFound("no commit " + commit.Hex());
  }
  OdbObjectHandle object = ReadObject(commit, GIT_OBJECT_COMMIT);
  std::string_view text = DataOf(object);
  auto damaged = [&] { return Error(Code::kInternal, "damaged commit " + commit.Hex()); };
  auto take = [&](std::string_view key) -> std::optional<GitOid> {
    if (!text.starts_with(key)) return std::nullopt;
    auto oid = GitOid::FromHex(text.substr(key.size(), kHex));
    if (!oid) throw damaged();
    text.remove_prefix(std::min(text.size(), key.size() + kHex + 1));
    return oid;
  };
  std::optional<GitOid> tree = take(kTree);
  if (!tree) throw damaged();
  return CommitLinks{*tree, take(kParent)};
}

GitOid GitRepository::Impl::TreeOf(const GitOid& commit) const { return ReadLinks(commit).tree; }

std::optional<GitOid> GitRepository::Impl::PeelToCommit(const GitOid& oid) const {
  std::optional<Header> header = FindHeader(oid);
  if (!header) return std::nullopt;
  if (header->type == GIT_OBJECT_COMMIT) return oid;
  if (header->type != GIT_OBJECT_TAG) return std::nullopt;
  git_oid id = ToGit(oid);
  git_object* tag = nullptr;
  if (git_object_lookup(&tag, repository_.get(), &id, GIT_OBJECT_TAG) < 0) return std::nullopt;
  ObjectHandle holder(tag);
  git_object* commit = nullptr;
  if (git_object_peel(&commit, tag, GIT_OBJECT_COMMIT) < 0) return std::nullopt;
  ObjectHandle commit_holder(commit);
  return FromGit(*git_object_id(commit));
}

RefStore GitRepository::Impl::Refs() const {
  return RefStore(
      folder_, [this](const GitOid& oid) { return PeelToCommit(oid).value_or(oid); },
      held_ ? held_name_ : std::string());
}

bool GitRepository::Impl::HoldRef(const std::string& name) {
  if (held_ && held_name_ == name) return true;
  held_.reset();
  if (std::optional<LockFile> lock = Refs().Lock(name, [] {})) held_.emplace(std::move(*lock));
  held_name_ = name;
  return held_.has_value();
}

}  // namespace hearth::storage

// What the parts of GitRepository share: the open handles and typed reads.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "storage/git/git_repository.h"
#include "storage/git/internal/libgit2.h"
#include "storage/git/internal/lock_file.h"
#include "storage/git/internal/object_batch.h"
#include "storage/git/internal/ref_store.h"

namespace hearth::storage {

class GitRepository::Impl {
 public:
  // Objects are read from <folder>/objects and from `more_objects`.
  Impl(std::filesystem::path folder, internal::RepositoryHandle repository,
       const std::vector<std::filesystem::path>& more_objects);

  git_repository* repository() const { return repository_.get(); }
  git_odb* odb() const { return odb_.get(); }
  const std::filesystem::path& folder() const { return folder_; }

  // Throws kInternal when the object is missing, damaged or of another type: a reference to it
  // exists, so the repository is broken.
  internal::OdbObjectHandle ReadObject(const GitOid& oid, git_object_t type) const;
  // Type and size without the content; nullopt when there is no such object.
  struct Header {
    git_object_t type;
    uint64_t size_bytes;
  };
  std::optional<Header> FindHeader(const GitOid& oid) const;
  // The root tree. Throws RevisionNotFound.
  GitOid TreeOf(const GitOid& commit) const;
  // Throws RevisionNotFound when there is no such commit.
  struct CommitLinks {
    GitOid tree;
    std::optional<GitOid> first_parent;
  };
  CommitLinks ReadLinks(const GitOid& commit) const;
  // The commit a tag points to at last, `oid` itself when that is no tag; nullopt when there is no
  // commit at the end.
  std::optional<GitOid> PeelToCommit(const GitOid& oid) const;

  internal::ObjectBatch NewBatch() const {
    return internal::ObjectBatch(odb_.get(), folder_ / "objects");
  }
  internal::RefStore Refs() const;
  bool HoldRef(const std::string& name);

 private:
  const std::filesystem::path folder_;
  const internal::RepositoryHandle repository_;
  internal::OdbHandle odb_;
  std::optional<internal::LockFile> held_;  // of held_name_
  std::string held_name_;
};

namespace internal {

// `path` with at most one '/' at its end taken off.
inline std::string_view WithoutTrailingSlash(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return path;
}
inline std::string JoinPath(std::string_view folder, std::string_view name) {
  if (folder.empty()) return std::string(name);
  return std::string(folder) + "/" + std::string(name);
}

}  // namespace internal
}  // namespace hearth::storage

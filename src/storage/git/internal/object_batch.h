// New git objects of one operation, kept in memory until Store writes them durably: a few as loose
// objects, many as one pack.
//
// Why not through libgit2: its loose backend syncs one object at a time and does not sync a newly
// made fan-out folder, and its pack builder searches deltas, which costs more than all the rest of
// a commit. Objects are written under temporary names that `git prune` knows.
//
// Thread rule: one thread at a time. Errors: kInsufficientStorage, kInternal.
#pragma once

#include <git2.h>

#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/file.h"
#include "base/hash.h"

namespace hearth::storage::internal {

struct PendingObject {
  GitOid oid;
  git_object_t type;
  std::string owned;
  std::string_view data;  // into `owned` or into the caller's memory
};

class ObjectBatch {
 public:
  // Both outlive the batch; `objects_folder` is <repository>/objects.
  ObjectBatch(git_odb* odb, std::filesystem::path objects_folder)
      : odb_(odb), folder_(std::move(objects_folder)) {}

  // `data` must stay valid until Store returns.
  GitOid AddBorrowed(git_object_t type, std::string_view data);
  GitOid AddOwned(git_object_t type, std::string data);
  bool Contains(const GitOid& oid) const { return known_.count(oid) > 0; }
  // When it returns, every added object is on disk, whoever wrote it.
  void Store();

 private:
  bool ExistsAlready(const GitOid& oid);
  void StoreLoose(const std::vector<const PendingObject*>& objects);
  void SyncFolders();
  std::filesystem::path LoosePath(const GitOid& oid) const;

  git_odb* const odb_;
  const std::filesystem::path folder_;
  std::deque<PendingObject> pending_;
  std::unordered_set<GitOid> known_;
  std::unordered_set<std::string> unsynced_folders_;
};

// A file that vanishes unless it is given its name. `git prune` removes what a crash leaves.
class ScratchFile {
 public:
  explicit ScratchFile(const std::filesystem::path& prefix);
  ScratchFile(ScratchFile&& other) noexcept;
  ScratchFile& operator=(ScratchFile&&) = delete;
  ~ScratchFile();
  int fd() const { return fd_.get(); }
  void Sync() { FsyncFile(fd_.get(), path_.string()); }
  // Makes it `mode` and renames; the caller syncs the file before and the folder after.
  void RenameTo(const std::filesystem::path& target, unsigned mode);

 private:
  UniqueFd fd_;
  std::filesystem::path path_;
};

// Writes <folder>/pack-<checksum>.pack and .idx (version 2), durably.
// https://git-scm.com/docs/pack-format
void WritePack(const std::filesystem::path& pack_folder,
               const std::vector<const PendingObject*>& objects);

}  // namespace hearth::storage::internal

// A repository as the hub knows it at one moment: an immutable snapshot, shared between threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "hub/types.h"

namespace hearth::hub {

struct RepoRecord {
  int64_t id = 0;   // database id, never reused
  std::string oid;  // 24 hex digits, `_id` on the wire; also names the folder on disk
  RepoType type = RepoType::kModel;
  int64_t owner_id = 0;
  std::string owner;  // canonical case
  std::string name;
  int64_t creator_id = 0;
  bool is_private = false;
  Gated gated = Gated::kOff;
  bool disabled = false;
  bool discussions_disabled = false;
  TimePoint created_at;
  TimePoint modified_at;
  std::optional<GitOid> head;  // of refs/heads/main; nullopt only in the middle of creation
  int64_t downloads = 0;       // 30 days
  int64_t downloads_all = 0;
  int64_t likes = 0;
  uint64_t used_bytes = 0;
  // Grows with every change of the record, its refs or its facts: a cache key together with id.
  uint64_t version = 0;

  std::string FullName() const { return owner + "/" + name; }
};

using RepoPtr = std::shared_ptr<const RepoRecord>;

// A repository that the caller was found to have `right` on. The only way to reach git, files and
// settings of a repository: Repos::Open makes it (design decision 12). Copyable; use within one
// request or job.
class RepoHandle {
 public:
  const RepoRecord& record() const { return *record_; }
  const RepoPtr& ptr() const { return record_; }
  Right right() const { return right_; }
  std::filesystem::path git_folder() const;
  // Throws kInternal when the handle was opened for less: a route that forgot its access rule.
  void Require(Right needed) const;

 private:
  friend class Repos;
  RepoHandle(RepoPtr record, Right right, std::shared_ptr<const std::filesystem::path> git_root)
      : record_(std::move(record)), right_(right), git_root_(std::move(git_root)) {}
  RepoPtr record_;
  Right right_;
  std::shared_ptr<const std::filesystem::path> git_root_;  // of all repositories
};

}  // namespace hearth::hub

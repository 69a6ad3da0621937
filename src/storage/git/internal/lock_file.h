// One <file>.lock in git's protocol; see ref_store.h for how a stale one is told from a live one.
// The destructor removes it.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

#include "base/file.h"

namespace hearth::storage::internal {

// git holds its locks for milliseconds; only a process that died leaves one for this long.
inline constexpr std::chrono::seconds kForeignLockAge{30};

class LockFile {
 public:
  // Waits up to `patience` and calls `while_waiting` (which may throw) between tries. nullopt when
  // it stays locked. Missing folders are made, and synced.
  static std::optional<LockFile> Acquire(const std::filesystem::path& target,
                                         std::chrono::milliseconds patience,
                                         const std::function<void()>& while_waiting);
  LockFile(LockFile&& other) noexcept
      : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

 private:
  LockFile(std::filesystem::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::filesystem::path path_;
  UniqueFd fd_;
};

// Removes the lock when nobody can hold it any more; true when it is gone.
bool RemoveStaleLock(const std::filesystem::path& lock);
// mkdir -p below an existing `base`, syncing the parent of every folder it makes. Throws kConflict
// when a file is in the way.
void MakeFoldersDurably(const std::filesystem::path& folder);

}  // namespace hearth::storage::internal

// Whole objects by their SHA-256. Once Put returns the object is durable; an object is never
// changed. Thread-safe; Put of the same content from two threads is fine (first one wins, both
// succeed).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "base/file.h"
#include "base/hash.h"

namespace hearth::storage {

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  // <root>/ab/cd/<sha256>
  static std::unique_ptr<BlobStore> OpenLocal(const std::filesystem::path& root);

  virtual std::optional<uint64_t> FindSize(const Sha256& id) const = 0;
  // Takes the finished temporary file (which must be on the store's file system). The caller
  // vouches that its content hashes to `id`. fsync, rename, fsync of the folders.
  virtual void Put(TempFile file, const Sha256& id) = 0;
  // Throws kNotFound. The descriptor stays readable even if the object is deleted meanwhile.
  virtual std::shared_ptr<UniqueFd> Open(const Sha256& id) const = 0;
  virtual void Delete(const Sha256& id) = 0;  // missing is fine
  // Moves the file out of the store, durably; false when it was not there. `target`'s folder exists
  // and is on the same file system.
  virtual bool MoveOut(const Sha256& id, const std::filesystem::path& target) = 0;
  virtual void ForEach(
      const std::function<void(const Sha256&, uint64_t size_bytes)>& each) const = 0;
  // Where callers make TempFiles for Put.
  virtual const std::filesystem::path& temp_folder() const = 0;
};

}  // namespace hearth::storage

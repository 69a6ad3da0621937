// Moving refs: compare-and-swap that is durable when it returns, beside the stock git programs.
//
// The protocol is git's own: whoever creates <ref>.lock exclusively may change <ref>; deleting also
// takes packed-refs.lock. Unlike git's, our lock file is only a lock (the new value has a temporary
// file of its own), is held with flock and says so in its content. So a lock that a killed process
// left behind is recognised at once and removed; a foreign one only after kForeignLockAge.
// https://git-scm.com/docs/gitrepository-layout (refs, packed-refs)
//
// Thread rule: any number of RefStores, in any thread or process, on one repository.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "storage/git/internal/lock_file.h"

namespace hearth::storage::internal {

class RefStore {
 public:
  // `peel` maps a tag object to its commit and any other id to itself.
  using Peel = std::function<GitOid(const GitOid&)>;
  // `held`: the ref whose lock the caller has; empty: none.
  RefStore(std::filesystem::path repository, Peel peel, std::string held)
      : folder_(std::move(repository)), peel_(std::move(peel)), held_(std::move(held)) {}

  // nullopt in `expected` = must not exist, in `target` = delete. `name` is a valid full name.
  // Throws kPreconditionFailed when the ref (itself or peeled) is not `expected` or stays locked,
  // kConflict when a ref exists whose name is a folder of this one or the reverse.
  void Update(const std::string& name, const std::optional<GitOid>& expected,
              const std::optional<GitOid>& target);
  // nullopt when others keep it locked; `while_waiting` may throw.
  std::optional<LockFile> Lock(const std::string& name,
                               const std::function<void()>& while_waiting) const;
  // The comparison alone. Throws kPreconditionFailed.
  void CheckExpected(const std::string& name, const std::optional<GitOid>& expected) const;

 private:
  std::optional<GitOid> Read(const std::string& name) const;
  std::optional<GitOid> ReadPacked(const std::string& name) const;
  void CheckNoClash(const std::string& name) const;
  void Write(const std::string& name, const GitOid& target);
  void Delete(const std::string& name);
  void RemoveFromPacked(const std::string& name);
  std::string PackedRefs() const;

  const std::filesystem::path folder_;
  const Peel peel_;
  const std::string held_;
};

// Throws kInvalidArgument unless `name` is a legal full name under refs/.
void CheckFullRefName(std::string_view name);

}  // namespace hearth::storage::internal

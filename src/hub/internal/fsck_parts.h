// The parts of RunFsck. One thread.
#pragma once

#include <functional>
#include <string>

#include "hub/fsck.h"

namespace hearth::hub {

struct FsckRun {
  Hub& hub;
  const FsckOptions& options;
  const FsckProgress& progress;
  FsckReport report;

  // `mend` is tried under --repair; empty = nothing can be done here.
  void Fault(const std::string& where, const std::string& what,
             const std::function<void()>& mend = {});
  void Note(const std::string& where, const std::string& what,
            const std::function<void()>& mend = {});

 private:
  void Add(FsckFinding finding, const std::function<void()>& mend);
};

void CheckStoredObjects(FsckRun& run);  // objects table against blob store
void CheckXetStore(FsckRun& run);       // Xet files and xorbs against the xorb store
void CheckGitFolders(FsckRun& run);     // folders without a row
void CheckRepositories(FsckRun& run);   // rows against git, facts and objects

// Gives the repository an object that the store has, without asking who may.
void GrantForRepair(Hub& hub, int64_t repo_id, const Sha256& oid, uint64_t size_bytes);

}  // namespace hearth::hub

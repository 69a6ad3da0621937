// The parts of a garbage collection. One thread; the hub's other users run beside it.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "hub/gc.h"

namespace hearth::hub {

// Undo goes through the kinds in this order, so that what a row refers to is there before it.
enum class TrashKind {
  kXorb = 0,
  kStrayXorb = 1,
  kFile = 2,
  kObject = 3,
  kStrayBlob = 4,
  kGrant = 5
};

struct TrashEntry {
  TrashKind kind;
  std::string key;  // hash as text, as FileName for files; for grants "<repository>:<sha256>"
  uint64_t bytes = 0;
  Json payload;
};

// Held by a run, an undo or an fsck, whichever process it is in. Throws kConflict.
UniqueFd LockGc(const std::filesystem::path& data);

struct GcState {
  Hub& hub;
  storage::Database& db;  // the hub's, or a copy of it in a dry run
  const GcOptions& options;
  const GcHooks& hooks;
  int64_t cutoff = 0;  // what was last of use then or before is past its grace
  GcReport report;

  // Who loses what, for the report: by the grants of this run.
  std::map<int64_t, GcRepoReport> repos;                 // 0 = nobody
  std::unordered_map<std::string, int64_t> object_repo;  // raw SHA-256
  std::unordered_map<int64_t, int64_t> file_repo, xorb_repo;

  bool dry_run() const { return options.dry_run; }
  // Between two durable steps; throws when the run is to end.
  void Step(std::string_view step) const;
  void Progress(std::string_view stage, size_t done, size_t total) const;
  int64_t RepoOf(const std::unordered_map<int64_t, int64_t>& owners, int64_t id) const;
};

// --- marking: takes back the grants that no ref of the repository needs
void RevokeUnusedGrants(GcState& gc);

// --- sweeping, top down
void SweepObjects(GcState& gc);
void SweepFiles(GcState& gc);
void SweepXorbs(GcState& gc);
void SweepStrays(GcState& gc);  // files of the stores that no row knows, and forgotten temporaries

// --- the trash
std::filesystem::path TrashFolder(const Hub& hub, TrashKind kind, int64_t run_id);
std::filesystem::path TrashFile(const Hub& hub, const TrashEntry& entry, int64_t run_id);
bool HasFile(TrashKind kind);
void AddToTrash(storage::Connection& c, int64_t run_id, const TrashEntry& entry, bool pending_move);
// Moves the files of entries whose rows are gone. The caller holds the sweep lock alone.
void MoveToTrash(GcState& gc, int64_t run_id, const std::vector<TrashEntry>& entries);
// Completes what interrupted runs left: entries whose file may still lie in its store.
void FinishMoves(GcState& gc);
// Completes undos that were interrupted: their files would look like strays.
void FinishUndos(GcState& gc);
void EmptyOldTrash(GcState& gc);

// The key of a Xet file's row as text, and back: the hash, and "." with hex digits for what
// follows.
std::string FileName(std::string_view key);
std::string FileKey(std::string_view name);

// Raw bytes of hashes as database values, and text of keys.
inline storage::DbValue RawKey(std::string_view raw) {
  return storage::BlobValue{std::string(raw)};
}

}  // namespace hearth::hub

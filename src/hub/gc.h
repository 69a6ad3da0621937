// Garbage collection: space that nothing needs any more is given back, in steps that can each be
// interrupted and, for some days, undone.
//
// What keeps content alive, from the top: an LFS pointer anywhere in the history of any ref keeps
// the repository's grant, a grant keeps the object, an object or a bucket's file keeps the Xet
// file, a Xet file keeps its xorbs. Each level is also kept for a grace time after somebody was
// told that it exists (created_at, used_at, leased_at): clients go on from such answers for three
// weeks. A run goes down the levels once. Rows are dropped together with a journal entry that can
// restore them, then the file is moved to the trash, which is emptied some days later.
//
// Runs beside a serving hub in the same or another process; one run at a time per data folder
// (kConflict). Whatever interrupts a run, the next one completes its moves.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
#include "hub/hub.h"

namespace hearth::hub {

// Clients deduplicate against what they uploaded for three weeks without asking; one day on top for
// clocks and for uploads that take long.
inline constexpr std::chrono::hours kGcGrace{24 * 22};
inline constexpr std::chrono::hours kGcTrashTime{24 * 7};

struct GcOptions {
  std::chrono::milliseconds grace = kGcGrace;
  std::chrono::milliseconds trash_time = kGcTrashTime;
  bool dry_run = false;  // works on a copy of the database and moves nothing
};

// What a run took (or would take) from one repository.
struct GcRepoReport {
  std::string repo;  // "model acme/bert"; "" = what belonged to no repository any more
  size_t objects = 0;
  uint64_t nominal_bytes = 0;  // sizes of the objects that it holds no longer
  uint64_t freed_bytes = 0;    // stored bytes that nothing else needs
  std::string problem;         // why it was passed over; "" = it was not
};

struct GcReport {
  int64_t run_id = 0;  // 0 for a dry run
  size_t grants = 0, objects = 0, files = 0, xorbs = 0, strays = 0;
  size_t answers = 0;          // of scans, about blobs of deleted repositories; not in a dry run
  uint64_t freed_bytes = 0;    // moved to the trash; the disk has them back when that is emptied
  uint64_t emptied_bytes = 0;  // old trash that this run deleted
  size_t emptied_runs = 0;
  std::vector<GcRepoReport> repos;  // those with garbage or problems
  Json ToJson() const;
};

// `progress` is called often; `stop` ends the run early (kUnavailable), `at_step` lets tests break
// it off between any two durable steps by throwing.
struct GcHooks {
  std::function<void(std::string_view stage, size_t done, size_t total)> progress;
  const std::atomic<bool>* stop = nullptr;
  std::function<void(std::string_view step)> at_step;
};

GcReport RunGc(Hub& hub, const GcOptions& options, const GcHooks& hooks = {});

struct GcRun {
  int64_t id = 0;
  std::string state;  // running, done, stopped, undoing, undone, emptying, emptied
  TimePoint started_at;
  std::optional<TimePoint> finished_at;
  size_t entries = 0;  // in the trash
  uint64_t bytes = 0;
};
std::vector<GcRun> ListGcRuns(Hub& hub);  // newest first

struct GcUndoReport {
  size_t restored = 0;
  size_t superseded = 0;  // stored anew since, or their repository is gone
  size_t lost = 0;        // damaged or missing in the trash
};
// Restores what a run took, and keeps it for another grace time. kNotFound for an unknown run,
// kConflict when its trash has been emptied or undone.
GcUndoReport UndoGc(Hub& hub, int64_t run_id, const GcHooks& hooks = {});

}  // namespace hearth::hub

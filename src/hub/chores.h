// Long work that an administrator has asked for: collecting garbage (or only telling what would
// go), undoing a collection, scrubbing the store. One after the other, in a thread of their own,
// with progress and a way to stop them. Thread-safe.
//
// The list is of this process: what a collection took and where a scrub has stopped is in the
// database (hub/gc.h, hub/scrub.h), so a restart loses no work, only the report.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
#include "hub/gc.h"
#include "hub/hub.h"

namespace hearth::hub {

struct ChoreKind {
  std::string_view id;      // "gc-dry-run"
  std::string_view label;   // "Look for garbage"
  std::string_view effect;  // one sentence for whoever is about to start it
  bool needs_run = false;   // takes the number of a collection
  Json (*work)(Hub& hub, int64_t gc_run, const GcHooks& hooks);
};
const std::vector<ChoreKind>& ChoreKinds();

struct Chore {
  enum class State { kWaiting, kRunning, kDone, kFailed, kStopped };
  int64_t id = 0;
  const ChoreKind* kind = nullptr;
  int64_t gc_run = 0;
  std::string asked_by;
  State state = State::kWaiting;
  TimePoint asked_at;
  std::optional<TimePoint> started_at, finished_at;
  std::string stage;  // while it runs
  size_t done = 0, total = 0;
  Json report;          // once it is done
  std::string problem;  // of kFailed
};
std::string_view StateName(Chore::State state);

class Chores {
 public:
  explicit Chores(Hub& hub) : hub_(hub) {}
  ~Chores() { Stop(); }

  // kNotFound for an unknown kind, kConflict when the same is waiting or running.
  int64_t Ask(std::string_view kind, int64_t gc_run, std::string_view asked_by);
  // Ends it at its next step; kNotFound, kConflict when it is over.
  void Cancel(int64_t id);
  std::vector<Chore> List() const;  // the newest first
  std::optional<Chore> Find(int64_t id) const;
  // Blocks until nothing waits or runs (tests); false on timeout.
  bool WaitIdle(std::chrono::milliseconds timeout) const;
  // Ends what runs and forgets what waits. Idempotent; nothing can be asked for afterwards.
  void Stop();

 private:
  struct Entry {
    Chore chore;
    std::atomic<bool> stop{false};
  };
  using EntryPtr = std::shared_ptr<Entry>;

  void Loop();
  void Do(const EntryPtr& entry);
  EntryPtr NextWaiting() const;
  bool Busy() const;

  Hub& hub_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::deque<EntryPtr> entries_;  // the newest first
  int64_t last_id_ = 0;
  bool stopping_ = false;
  std::thread thread_;  // started by the first chore
};

}  // namespace hearth::hub

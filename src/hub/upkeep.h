// What a serving hub does for its store by itself: garbage collection and, when asked for, scrubs,
// in one thread of their own. Due times are counted from the last whole run in the database, so
// that restarts neither repeat nor delay them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "hub/gc.h"
#include "hub/scrub.h"

namespace hearth::hub {

struct UpkeepOptions {
  // After the start, where a server has other work; then it looks this often, within a second and a
  // minute.
  std::chrono::milliseconds pause = std::chrono::minutes(1);
  std::optional<std::chrono::milliseconds> gc_every;  // nullopt = never
  GcOptions gc;
  std::optional<std::chrono::milliseconds> scrub_every;
  ScrubOptions scrub;
};

class Upkeep {
 public:
  // Starts the thread; `hub` outlives this.
  Upkeep(Hub& hub, const UpkeepOptions& options);
  ~Upkeep() { Stop(); }
  // Ends a running collection or scrub at its next step and waits for it. Idempotent.
  void Stop();

  // Does what is due now, on the calling thread; for the thread, and for tests.
  static void RunDue(Hub& hub, const UpkeepOptions& options, const std::atomic<bool>& stop);

 private:
  void Loop();

  Hub& hub_;
  const UpkeepOptions options_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace hearth::hub

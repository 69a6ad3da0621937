#include "hub/upkeep.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"

namespace hearth::hub {
namespace {

// Between two looks at what is due.
constexpr std::chrono::milliseconds kLeastInterval{1'000}, kMostInterval{60'000};

int64_t LastGc(storage::Database& db) {
  return db.ReadValue([](storage::Connection& c) {
    return c.QueryInt("SELECT MAX(finished_at) FROM gc_runs WHERE summary != '{}'").value_or(0);
  });
}

int64_t LastScrub(storage::Database& db) {
  std::string text = db.ReadValue([](storage::Connection& c) {
    return c
        .QueryOne("SELECT value FROM meta WHERE key = 'scrub_finished_at'", {},
                  [](const storage::Row& row) { return row.Str(0); })
        .value_or("0");
  });
  return ParseInt(text).value_or(0);
}

bool IsDue(const std::optional<std::chrono::milliseconds>& every, int64_t last, Hub& hub) {
  return every && ToUnixMillis(hub.clock().Now()) - last >= every->count();
}

}  // namespace

Upkeep::Upkeep(Hub& hub, const UpkeepOptions& options) : hub_(hub), options_(options) {
  thread_ = std::thread([this] { Loop(); });
}

void Upkeep::Stop() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Upkeep::Loop() {
  std::unique_lock lock(mutex_);
  auto pause = options_.pause;
  while (!stop_) {
    wake_.wait_for(lock, pause, [this] { return stop_.load(); });
    pause = std::clamp(options_.pause, kLeastInterval, kMostInterval);
    if (stop_) return;
    lock.unlock();
    try {
      RunDue(hub_, options_, stop_);
    } catch (const std::exception& fault) {
      if (!stop_) {
        log::Warning("upkeep failed; it will be tried again", {{"reason", fault.what()}});
      }
    }
    lock.lock();
  }
}

void Upkeep::RunDue(Hub& hub, const UpkeepOptions& options, const std::atomic<bool>& stop) {
  GcHooks hooks;
  hooks.stop = &stop;
  if (IsDue(options.gc_every, LastGc(hub.db()), hub)) {
    GcReport report = RunGc(hub, options.gc, hooks);
    log::Info("garbage collected", {{"run", std::to_string(report.run_id)},
                                    {"objects", std::to_string(report.objects)},
                                    {"xorbs", std::to_string(report.xorbs)},
                                    {"bytes", std::to_string(report.freed_bytes)},
                                    {"emptied", std::to_string(report.emptied_bytes)}});
  }
  if (IsDue(options.scrub_every, LastScrub(hub.db()), hub)) {
    ScrubReport report = RunScrub(hub, options.scrub, hooks);
    log::Info("store scrubbed", {{"objects", std::to_string(report.objects)},
                                 {"xorbs", std::to_string(report.xorbs)},
                                 {"damaged", std::to_string(report.findings.size())}});
  }
}

}  // namespace hearth::hub

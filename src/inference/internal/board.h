// What is known of the models at this moment, for whoever asks from outside the event loop; and the
// count of requests that are under way, which bounds them. Thread-safe; never blocks for long.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "inference/scheduler.h"

namespace hearth::inference {

// A load that is under way, as far as its progress is computed when somebody asks.
struct LoadProgress {
  std::chrono::steady_clock::time_point started;
  double expected_seconds = 1;
  uint64_t total_bytes = 0;
  std::atomic<uint64_t> laid_out_bytes{0};
  std::atomic<bool> cancelled{false};

  double Fraction(std::chrono::steady_clock::time_point now) const;
  double SecondsLeft(std::chrono::steady_clock::time_point now) const;
};

struct Notice {
  ModelStatus status;
  std::shared_ptr<const LoadProgress> load;  // while loading
  std::chrono::steady_clock::time_point used;
};

class Board {
 public:
  Board(size_t max_per_model, size_t max_in_all)
      : max_per_model_(max_per_model), max_in_all_(max_in_all) {}

  void Post(int64_t repo_id, Notice notice);
  void Remove(int64_t repo_id);
  ModelStatus StatusOf(int64_t repo_id) const;
  std::vector<std::pair<int64_t, ModelStatus>> All() const;

  // Throws kTooManyRequests when one more would be too many.
  void Check(int64_t repo_id) const;
  void Enter(int64_t repo_id);  // the same, and counts it
  void Leave(int64_t repo_id);
  // Counters; models_warm and the like are computed.
  SchedulerStats Stats() const;
  std::atomic<uint64_t> loads{0}, load_failures{0}, crashes{0}, evictions{0};

 private:
  void CheckLocked(int64_t repo_id) const;

  const size_t max_per_model_, max_in_all_;
  mutable std::mutex mutex_;
  std::unordered_map<int64_t, Notice> notices_;
  std::unordered_map<int64_t, size_t> under_way_;
  size_t under_way_in_all_ = 0;
  uint64_t requests_ = 0;
  mutable uint64_t refused_ = 0;
};

}  // namespace hearth::inference

// Comparisons that take longer than a request may: weights read and measured. One thread of the
// lowest priority works through a short queue; results are kept in the database, the last ones
// only, as they can be made again. Keys name what is computed (two repositories at commits): who
// asks twice joins. Access is the caller's affair, at every call. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include "codec/json.h"
#include "hub/inspector/weights/tensor_scan.h"
#include "storage/db/database.h"

namespace hearth::hub {

enum class WeightJobState { kUnknown, kQueued, kRunning, kDone, kFailed, kCancelled };
std::string_view WeightJobStateName(WeightJobState state);  // "none", "queued", ...

struct WeightJobStatus {
  WeightJobState state = WeightJobState::kUnknown;
  uint64_t done = 0, total = 0;  // values
  Json result;                   // kDone
  std::string reason;            // kFailed
};

class WeightJobs {
 public:
  struct Work {
    uint64_t total = 0;  // of progress
    std::function<Json(const inspector::ScanHooks&)> run;
  };

  // The version of the measures: results of another one are not shown.
  static constexpr int kRules = 1;
  // Results kept, and the longest one that is.
  static constexpr size_t kStored = 500;
  static constexpr size_t kMaxStoredBytes = 1u << 20;

  // Null: nothing outlives the process.
  explicit WeightJobs(storage::Database* db = nullptr) : db_(db) {}
  ~WeightJobs() { Stop(); }

  // Does nothing when a job of the key waits, runs or is done. Throws kTooManyRequests when
  // `max_waiting` or more are queued. The thread starts with the first job.
  WeightJobStatus Start(const std::string& key, Work work, size_t max_waiting);
  WeightJobStatus StatusOf(const std::string& key) const;
  // A waiting or running job ends; a finished one stays.
  void Cancel(const std::string& key);
  void Stop();

 private:
  struct Job {
    std::string key;
    Work work;
    WeightJobStatus status;
    std::atomic<uint64_t> done{0};
    std::atomic<bool> stop{false};
  };
  using JobPtr = std::shared_ptr<Job>;

  void Run();
  void Perform(const JobPtr& job);
  void Forget();
  static WeightJobStatus Seen(const Job& job);
  std::optional<WeightJobStatus> FindStored(const std::string& key) const;
  void Store(const std::string& key, const Json& result);

  storage::Database* const db_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<JobPtr> queue_;
  JobPtr running_;
  std::unordered_map<std::string, JobPtr> jobs_;
  std::list<std::string> finished_;  // oldest first
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hearth::hub

// Inspections that take longer than a request may: weights read and compared. One thread of the
// lowest priority works through a short queue; results are kept in memory, the last ones only, as
// they can be made again. Keys name what is computed (two repositories at commits): who asks twice
// joins. Access is the caller's affair, at every call. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "codec/json.h"
#include "hub/inspector/weights/tensor_scan.h"

namespace hearth::hub {

enum class InspectionState { kUnknown, kQueued, kRunning, kDone, kFailed, kCancelled };
std::string_view InspectionStateName(InspectionState state);  // "none", "queued", ...

struct InspectionStatus {
  InspectionState state = InspectionState::kUnknown;
  uint64_t done = 0, total = 0;  // values
  Json result;                   // kDone
  std::string reason;            // kFailed
};

class InspectionJobs {
 public:
  struct Work {
    uint64_t total = 0;  // of progress
    std::function<Json(const inspector::ScanHooks&)> run;
  };

  InspectionJobs() = default;
  ~InspectionJobs() { Stop(); }

  // Does nothing when a job of the key waits, runs or is done. Throws kTooManyRequests when
  // `max_waiting` or more are queued. The thread starts with the first job.
  InspectionStatus Start(const std::string& key, Work work, size_t max_waiting);
  InspectionStatus StatusOf(const std::string& key) const;
  // A waiting or running job ends; a finished one stays.
  void Cancel(const std::string& key);
  void Stop();

 private:
  struct Job {
    std::string key;
    Work work;
    InspectionStatus status;
    std::atomic<uint64_t> done{0};
    std::atomic<bool> stop{false};
  };
  using JobPtr = std::shared_ptr<Job>;

  void Run();
  void Perform(const JobPtr& job);
  void Forget();
  static InspectionStatus Seen(const Job& job);

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

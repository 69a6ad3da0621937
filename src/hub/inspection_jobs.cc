#include "hub/inspection_jobs.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"

namespace hearth::hub {
namespace {

// A result is some hundred kilobytes at most.
constexpr size_t kKept = 64;

}  // namespace

std::string_view InspectionStateName(InspectionState state) {
  switch (state) {
    case InspectionState::kQueued:
      return "queued";
    case InspectionState::kRunning:
      return "running";
    case InspectionState::kDone:
      return "done";
    case InspectionState::kFailed:
      return "failed";
    case InspectionState::kCancelled:
      return "cancelled";
    case InspectionState::kUnknown:
      break;
  }
  return "none";
}

InspectionStatus InspectionJobs::Seen(const Job& job) {
  InspectionStatus status = job.status;
  status.done = job.done;
  return status;
}

InspectionStatus InspectionJobs::Start(const std::string& key, Work work, size_t max_waiting) {
  std::lock_guard lock(mutex_);
  if (stopping_) throw Error(Code::kUnavailable, "The hub is stopping.");
  auto known = jobs_.find(key);
  if (known != jobs_.end()) {
    InspectionState state = known->second->status.state;
    bool again = state == InspectionState::kFailed || state == InspectionState::kCancelled;
    if (!again) return Seen(*known->second);
    std::erase(finished_, key);
  }
  if (queue_.size() >= max_waiting)
    throw Error(Code::kTooManyRequests, "Other comparisons are waiting: try again later.");
  auto job = std::make_shared<Job>();
  job->key = key;
  job->status.state = InspectionState::kQueued;
  job->status.total = work.total;
  job->work = std::move(work);
  jobs_[key] = job;
  queue_.push_back(job);
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  changed_.notify_all();
  return Seen(*job);
}

InspectionStatus InspectionJobs::StatusOf(const std::string& key) const {
  std::lock_guard lock(mutex_);
  auto known = jobs_.find(key);
  return known == jobs_.end() ? InspectionStatus() : Seen(*known->second);
}

void InspectionJobs::Cancel(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto known = jobs_.find(key);
  if (known == jobs_.end()) return;
  const JobPtr job = known->second;
  job->stop = true;
  if (job->status.state != InspectionState::kQueued) return;
  std::erase(queue_, job);
  job->status.state = InspectionState::kCancelled;
  finished_.push_back(key);
  Forget();
}

void InspectionJobs::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (running_) running_->stop = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void InspectionJobs::Run() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    running_ = queue_.front();
    queue_.pop_front();
    running_->status.state = InspectionState::kRunning;
    JobPtr job = running_;
    lock.unlock();
    Perform(job);
    lock.lock();
    running_.reset();
  }
}

void InspectionJobs::Perform(const JobPtr& job) {
  inspector::ScanHooks hooks;
  hooks.stop = &job->stop;
  hooks.progress = [&job](uint64_t amount) { job->done += amount; };
  InspectionStatus end = job->status;
  try {
    end.result = job->work.run(hooks);
    end.state = InspectionState::kDone;
  } catch (const std::exception& fault) {
    end.state = job->stop ? InspectionState::kCancelled : InspectionState::kFailed;
    end.reason = fault.what();
  }
  std::lock_guard lock(mutex_);
  job->status = std::move(end);
  job->work.run = nullptr;  // with the views that it holds
  finished_.push_back(job->key);
  Forget();
}

void InspectionJobs::Forget() {
  while (finished_.size() > kKept) {
    jobs_.erase(finished_.front());
    finished_.pop_front();
  }
}

}  // namespace hearth::hub

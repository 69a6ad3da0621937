#include "hub/weight_jobs.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"

namespace hearth::hub {
namespace {

// Of finished jobs in memory; a result is some hundred kilobytes at most.
constexpr size_t kKept = 64;

std::string StoredKey(const std::string& key) {
  return std::to_string(WeightJobs::kRules) + "\n" + key;
}

}  // namespace

std::string_view WeightJobStateName(WeightJobState state) {
  switch (state) {
    case WeightJobState::kQueued:
      return "queued";
    case WeightJobState::kRunning:
      return "running";
    case WeightJobState::kDone:
      return "done";
    case WeightJobState::kFailed:
      return "failed";
    case WeightJobState::kCancelled:
      return "cancelled";
    case WeightJobState::kUnknown:
      break;
  }
  return "none";
}

WeightJobStatus WeightJobs::Seen(const Job& job) {
  WeightJobStatus status = job.status;
  status.done = job.done;
  return status;
}

std::optional<WeightJobStatus> WeightJobs::FindStored(const std::string& key) const {
  if (db_ == nullptr) return std::nullopt;
  std::optional<std::string> text = db_->ReadValue([&](storage::Connection& c) {
    return c.QueryOne("SELECT result FROM weight_results WHERE key = ?", {StoredKey(key)},
                      [](const storage::Row& row) { return row.Str(0); });
  });
  if (!text) return std::nullopt;
  try {
    WeightJobStatus status;
    status.result = Json::Parse(*text);
    status.state = WeightJobState::kDone;
    return status;
  } catch (const Error&) {
    return std::nullopt;  // then it is made anew
  }
}

void WeightJobs::Store(const std::string& key, const Json& result) {
  if (db_ == nullptr) return;
  std::string text = result.Dump();
  if (text.size() > kMaxStoredBytes) return;
  db_->Write([&](storage::Connection& c) {
    c.Exec("DELETE FROM weight_results WHERE key = ?", {StoredKey(key)});
    c.Exec("INSERT INTO weight_results (key, result) VALUES (?, ?)", {StoredKey(key), text});
    c.Exec(
        "DELETE FROM weight_results WHERE id <= (SELECT id FROM weight_results ORDER BY id DESC "
        "LIMIT 1 OFFSET ?)",
        {static_cast<int64_t>(kStored)});
  });
}

WeightJobStatus WeightJobs::Start(const std::string& key, Work work, size_t max_waiting) {
  if (std::optional<WeightJobStatus> stored = FindStored(key)) return *stored;
  std::lock_guard lock(mutex_);
  if (stopping_) throw Error(Code::kUnavailable, "The hub is stopping.");
  auto known = jobs_.find(key);
  if (known != jobs_.end()) {
    WeightJobState state = known->second->status.state;
    bool again = state == WeightJobState::kFailed || state == WeightJobState::kCancelled;
    if (!again) return Seen(*known->second);
    std::erase(finished_, key);
  }
  if (queue_.size() >= max_waiting)
    throw Error(Code::kTooManyRequests, "Other comparisons are waiting: try again later.");
  auto job = std::make_shared<Job>();
  job->key = key;
  job->status.state = WeightJobState::kQueued;
  job->status.total = work.total;
  job->work = std::move(work);
  jobs_[key] = job;
  queue_.push_back(job);
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  changed_.notify_all();
  return Seen(*job);
}

WeightJobStatus WeightJobs::StatusOf(const std::string& key) const {
  {
    std::lock_guard lock(mutex_);
    if (auto known = jobs_.find(key); known != jobs_.end()) return Seen(*known->second);
  }
  return FindStored(key).value_or(WeightJobStatus());
}

void WeightJobs::Cancel(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto known = jobs_.find(key);
  if (known == jobs_.end()) return;
  const JobPtr job = known->second;
  job->stop = true;
  if (job->status.state != WeightJobState::kQueued) return;
  std::erase(queue_, job);
  job->status.state = WeightJobState::kCancelled;
  finished_.push_back(key);
  Forget();
}

void WeightJobs::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (running_) running_->stop = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void WeightJobs::Run() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    running_ = queue_.front();
    queue_.pop_front();
    running_->status.state = WeightJobState::kRunning;
    JobPtr job = running_;
    lock.unlock();
    Perform(job);
    lock.lock();
    running_.reset();
  }
}

void WeightJobs::Perform(const JobPtr& job) {
  inspector::ScanHooks hooks;
  hooks.stop = &job->stop;
  hooks.progress = [&job](uint64_t amount) { job->done += amount; };
  WeightJobStatus end = job->status;
  try {
    end.result = job->work.run(hooks);
    end.state = WeightJobState::kDone;
    Store(job->key, end.result);
  } catch (const std::exception& fault) {
    end.state = job->stop ? WeightJobState::kCancelled : WeightJobState::kFailed;
    end.reason = fault.what();
  }
  std::lock_guard lock(mutex_);
  job->status = std::move(end);
  job->work.run = nullptr;  // with the views that it holds
  finished_.push_back(job->key);
  Forget();
}

void WeightJobs::Forget() {
  while (finished_.size() > kKept) {
    jobs_.erase(finished_.front());
    finished_.pop_front();
  }
}

}  // namespace hearth::hub

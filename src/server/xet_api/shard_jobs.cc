#include "server/xet_api/shard_jobs.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace hearth::server {
namespace {

[[noreturn]] void ShuttingDown() {
  throw Error(Code::kUnavailable, "The server is shutting down: try again");
}

}  // namespace

ShardJob::State ShardJob::WaitFor(std::chrono::milliseconds limit) const {
  std::unique_lock lock(mutex_);
  ended_.wait_for(lock, limit, [this] { return state_.done; });
  return state_;
}

bool ShardJob::Result() const {
  std::lock_guard lock(mutex_);
  if (outcome_.fault) std::rethrow_exception(outcome_.fault);
  return outcome_.result;
}

ShardJob::Outcome ShardJob::Run(const std::function<bool()>& stopping) {
  Outcome outcome;
  try {
    if (stopping()) ShuttingDown();
    outcome.result = work_([&](uint64_t verified, uint64_t total) {
      if (stopping()) ShuttingDown();
      std::lock_guard lock(mutex_);
      state_.verified = verified;
      state_.total = total;
    });
  } catch (...) {
    outcome.fault = std::current_exception();
  }
  // The shard's bytes and whatever else the work holds go before anybody sees the end.
  work_ = nullptr;
  return outcome;
}

void ShardJob::Finish(Outcome outcome) {
  std::lock_guard lock(mutex_);
  outcome_ = std::move(outcome);
  state_.done = true;
  ended_.notify_all();
}

ShardJobs::ShardJobs(size_t parallel, size_t waiting) : parallel_(parallel), waiting_(waiting) {}

ShardJobs::~ShardJobs() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

ShardJobs::Queue::iterator ShardJobs::NextLocked() {
  if (stopping_) return queue_.begin();
  size_t limit = std::max<size_t>(parallel_, 2) - 1;
  return std::find_if(queue_.begin(), queue_.end(), [&](const auto& job) {
    auto running = running_of_.find(job->owner_);
    return running == running_of_.end() || running->second < limit;
  });
}

ShardJobs::Started ShardJobs::Start(int64_t owner, ShardJob::Work work) {
  std::shared_ptr<ShardJob> job(new ShardJob(owner, std::move(work)));
  std::lock_guard lock(mutex_);
  size_t unfinished = running_ + queue_.size();
  if (unfinished >= parallel_ + waiting_) {
    throw Error(Code::kUnavailable, "Too many uploads are being verified: try again soon");
  }
  auto waiting = static_cast<size_t>(std::count_if(
      queue_.begin(), queue_.end(), [&](const auto& other) { return other->owner_ == owner; }));
  if (waiting > std::max<size_t>(waiting_ / 4, 1)) {
    throw Error(Code::kTooManyRequests,
                "Too many uploads of yours are being verified: try again soon");
  }
  if (unfinished >= threads_.size() && threads_.size() < parallel_) {
    threads_.emplace_back([this] { RunThread(); });
  }
  queue_.push_back(job);
  wake_.notify_one();
  return {job, unfinished < parallel_};
}

void ShardJobs::RunThread() {
  auto stopping = [this] {
    std::lock_guard lock(mutex_);
    return stopping_;
  };
  std::unique_lock lock(mutex_);
  while (true) {
    Queue::iterator next;
    wake_.wait(lock, [&] {
      next = NextLocked();
      return stopping_ || next != queue_.end();
    });
    if (queue_.empty()) return;
    std::shared_ptr<ShardJob> job = std::move(*next);
    queue_.erase(next);
    ++running_;
    ++running_of_[job->owner_];
    lock.unlock();
    ShardJob::Outcome outcome = job->Run(stopping);
    lock.lock();
    // First, so that whoever sees the end also finds the place free.
    --running_;
    if (--running_of_[job->owner_] == 0) running_of_.erase(job->owner_);
    wake_.notify_one();
    job->Finish(std::move(outcome));
    job.reset();
  }
}

}  // namespace hearth::server

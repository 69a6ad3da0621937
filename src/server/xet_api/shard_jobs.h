// Registering a shard can take minutes: every byte of its files is read back and hashed. So it runs
// beside the request that asked for it, a few at a time, and goes on when the client has left: what
// was proved need not be proved again at the next try.
//
// Thread-safe. The threads begin with the first job and end with the ShardJobs object, which stops
// jobs that run (at their next report of progress) and drops those that wait.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace hearth::server {

class ShardJob {
 public:
  using Report = std::function<void(uint64_t verified, uint64_t total)>;
  // True when all was known; throws Error for a shard that is refused.
  using Work = std::function<bool(const Report& report)>;

  struct State {
    bool done = false;
    uint64_t verified = 0, total = 0;  // bytes; 0 of 0 before the first report
  };
  // Returns early when the job ends.
  State WaitFor(std::chrono::milliseconds limit) const;
  // What the work returned, or throws what it threw. Requires State::done.
  bool Result() const;

 private:
  friend class ShardJobs;
  ShardJob(int64_t owner, Work work) : owner_(owner), work_(std::move(work)) {}
  struct Outcome {
    bool result = false;
    std::exception_ptr fault;
  };
  Outcome Run(const std::function<bool()>& stopping);
  void Finish(Outcome outcome);

  const int64_t owner_;
  Work work_;
  mutable std::mutex mutex_;
  mutable std::condition_variable ended_;
  State state_;
  Outcome outcome_;
};

class ShardJobs {
 public:
  // At most `parallel` jobs run and `waiting` more wait. One owner takes at most all places but one
  // (where there is more than one) and a quarter of the queue: the others always get on.
  ShardJobs(size_t parallel, size_t waiting);
  ~ShardJobs();
  ShardJobs(const ShardJobs&) = delete;

  struct Started {
    std::shared_ptr<ShardJob> job;
    bool at_once = false;  // a thread was free
  };
  // `owner` is the user. Throws kUnavailable when too many wait, kTooManyRequests when too many of
  // that owner do.
  Started Start(int64_t owner, ShardJob::Work work);

 private:
  using Queue = std::deque<std::shared_ptr<ShardJob>>;
  void RunThread();
  // The first job whose owner may have one more place.
  Queue::iterator NextLocked();

  const size_t parallel_, waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Queue queue_;
  size_t running_ = 0;
  std::map<int64_t, size_t> running_of_;  // by owner
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hearth::server

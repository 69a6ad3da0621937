// The threads on which handlers run. A bounded queue: when it is full the caller must refuse the
// request. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hearth::net {

class WorkerPool {
 public:
  WorkerPool(int threads, size_t max_queued);
  ~WorkerPool();
  // False when the queue is full or the pool has stopped. The job must not throw.
  bool TrySubmit(std::function<void()> job);
  // For the continuation of work that was already let in: never refused for fullness.
  void Submit(std::function<void()> job);
  // Lets running jobs finish, runs what is queued, joins. Idempotent; later submits are dropped.
  void Stop();

 private:
  void Run();
  bool Enqueue(std::function<void()> job, size_t limit);

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  size_t idle_ = 0;
  // A thread was notified and has not taken a job yet: further notifies would only cost switches.
  bool waking_ = false;
  bool stopped_ = false;
  const size_t max_queued_;
  std::vector<std::thread> threads_;
};

}  // namespace hearth::net

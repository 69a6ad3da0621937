#include "net/internal/worker_pool.h"

#include <pthread.h>

#include <utility>

namespace hearth::net {

WorkerPool::WorkerPool(int threads, size_t max_queued) : max_queued_(max_queued) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

WorkerPool::~WorkerPool() { Stop(); }

bool WorkerPool::TrySubmit(std::function<void()> job) {
  return Enqueue(std::move(job), max_queued_);
}

void WorkerPool::Submit(std::function<void()> job) {
  Enqueue(std::move(job), static_cast<size_t>(-1));
}

bool WorkerPool::Enqueue(std::function<void()> job, size_t limit) {
  bool wake;
  {
    std::lock_guard lock(mutex_);
    if (stopped_ || queue_.size() >= limit) return false;
    queue_.push_back(std::move(job));
    wake = idle_ > 0 && !waking_;
    if (wake) waking_ = true;
  }
  if (wake) ready_.notify_one();
  return true;
}

void WorkerPool::Run() {
  ::pthread_setname_np(::pthread_self(), "net-worker");
  std::unique_lock lock(mutex_);
  while (true) {
    while (queue_.empty() && !stopped_) {
      ++idle_;
      ready_.wait(lock);
      --idle_;
      waking_ = false;
    }
    if (queue_.empty()) return;
    std::function<void()> job = std::move(queue_.front());
    queue_.pop_front();
    // Wake-ups form a chain: each thread that takes a job wakes at most one more while work is
    // left. Short handlers are then served by few warm threads, and blocking ones still spread out.
    bool wake = !queue_.empty() && idle_ > 0 && !waking_;
    if (wake) waking_ = true;
    lock.unlock();
    if (wake) ready_.notify_one();
    job();
    job = nullptr;
    lock.lock();
  }
}

void WorkerPool::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace hearth::net

#include "inference/internal/layout_threads.h"

#include <utility>

namespace hearth::inference {

LayoutThreads::LayoutThreads() {
  for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { Run(); });
}

LayoutThreads::~LayoutThreads() { Stop(); }

void LayoutThreads::Submit(std::function<void()> job) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    jobs_.push_back(std::move(job));
  }
  ready_.notify_one();
}

void LayoutThreads::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    jobs_.clear();
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void LayoutThreads::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    ready_.wait(lock, [&] { return stopped_ || !jobs_.empty(); });
    if (stopped_) return;
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace hearth::inference

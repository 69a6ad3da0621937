// Two threads that lay out the files of models: a large one that has to be rebuilt does not hold up
// a small one. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hearth::inference {

class LayoutThreads {
 public:
  LayoutThreads();
  ~LayoutThreads();
  void Submit(std::function<void()> job);  // must not throw
  // Lets running jobs end; what waits is dropped.
  void Stop();

 private:
  void Run();
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> jobs_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hearth::inference

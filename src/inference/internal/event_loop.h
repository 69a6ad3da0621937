// One thread that waits for everything that workers do: sockets, their errors, their ends, timers.
// All state of models belongs to it, so none of that needs a lock.
//
// Post is for any thread; everything else for the loop's own, or before Start and after Stop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/file.h"

namespace hearth::inference {

class EventLoop {
 public:
  using Task = std::function<void()>;
  using Time = std::chrono::steady_clock::time_point;
  using TimerId = std::pair<Time, uint64_t>;
  using WatchId = uint64_t;  // 0 = none

  EventLoop();
  ~EventLoop();
  void Start();
  // Returns when the thread has ended; what was posted before has run.
  void Stop();
  // False when the loop has been stopped: the task will not run.
  bool Post(Task task);
  TimerId After(std::chrono::milliseconds delay, Task task);
  void Cancel(const TimerId& timer) { timers_.erase(timer); }

  // Calls `ready` with epoll's events for as long as the descriptor is ready (level-triggered).
  WatchId Watch(int fd, uint32_t events, std::function<void(uint32_t events)> ready);
  void Change(WatchId watch, uint32_t events);
  // Before the descriptor is closed. No event comes afterwards.
  void Unwatch(WatchId watch);

 private:
  struct Watched {
    int fd;
    std::function<void(uint32_t)> ready;
  };
  void Run();
  void RunPosted();
  void RunTimers();
  int WaitMillis() const;

  UniqueFd epoll_, wake_;
  std::unordered_map<WatchId, std::shared_ptr<Watched>> watched_;
  WatchId last_watch_ = 0;
  std::map<TimerId, Task> timers_;
  uint64_t last_timer_ = 0;
  std::mutex mutex_;
  std::vector<Task> posted_;  // under mutex_
  bool stopped_ = false;      // under mutex_
  std::thread thread_;
};

}  // namespace hearth::inference

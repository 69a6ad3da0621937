// One I/O thread: an epoll set, the connections that live on it, timers and a queue of tasks from
// other threads. A connection stays on its loop for life, so session code needs no locks.
//
// Post is for any thread; everything else for the loop's own thread, or before Start and after
// Join.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/wake_up.h"
#include "net/internal/watch.h"

namespace hearth::net {

class ChildRun;
class Session;

class Loop {
 public:
  using Task = std::function<void()>;
  using Time = std::chrono::steady_clock::time_point;
  using TimerId = std::pair<Time, uint64_t>;
  // Large enough for one TLS file write or body read; shared by all connections of the loop, so
  // that an idle or slow one owns no buffer.
  static constexpr size_t kScratchBytes = 256 << 10;

  // Throws Error when the kernel refuses the epoll set.
  explicit Loop(std::chrono::milliseconds tick);
  ~Loop();
  void Start();
  void Stop();  // any thread; Join then returns soon
  void Join();
  // Runs `task` in the loop after what is ready now; tasks keep their order.
  void Post(Task task);
  // Runs `task` once after `delay`, unless cancelled.
  TimerId RunAfter(std::chrono::milliseconds delay, Task task);
  void Cancel(const TimerId& timer) { timers_.erase(timer); }

  char* scratch() { return scratch_.get(); }
  // When this turn of the loop began: good enough for deadlines, and free.
  Time now() const { return now_; }
  std::string NextRequestId();

  void Add(std::shared_ptr<Session> session) { sessions_.insert(std::move(session)); }
  void Remove(const std::shared_ptr<Session>& session) { sessions_.erase(session); }
  void Add(std::shared_ptr<ChildRun> child) { children_.insert(std::move(child)); }
  void Remove(const std::shared_ptr<ChildRun>& child) { children_.erase(child); }
  // Copies, because what is called on them removes them.
  std::vector<std::shared_ptr<Session>> Sessions() const {
    return {sessions_.begin(), sessions_.end()};
  }
  std::vector<std::shared_ptr<ChildRun>> Children() const {
    return {children_.begin(), children_.end()};
  }

 private:
  friend class Watch;
  void Run();
  int WaitMillis() const;
  void DispatchEvents(int count);
  void RunPosted();
  void RunTimers();
  void ArmTick();
  // No event of this turn may reach a watch that was stopped in it.
  void Forget(const Watch* watch);

  UniqueFd epoll_;
  // Watched by edges; nobody reads the counter. Shared with threads that will ring it soon.
  const std::shared_ptr<const WakeUp> wake_ = std::make_shared<WakeUp>();
  const std::chrono::milliseconds tick_;
  std::unique_ptr<char[]> scratch_ = std::make_unique<char[]>(kScratchBytes);
  uint64_t id_seed_[2];
  std::array<epoll_event, 128> events_;
  int event_at_ = 0, event_count_ = 0;  // of the turn that is running
  Time now_ = std::chrono::steady_clock::now();
  std::map<TimerId, Task> timers_;
  uint64_t timer_count_ = 0;
  std::unordered_set<std::shared_ptr<Session>> sessions_;
  std::unordered_set<std::shared_ptr<ChildRun>> children_;
  std::mutex mutex_;
  std::vector<Task> posted_;  // under mutex_
  std::atomic<bool> has_posted_{false}, stopped_{false};
  std::thread thread_;
};

}  // namespace hearth::net

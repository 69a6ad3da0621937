#include "inference/internal/event_loop.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/log.h"

namespace hearth::inference {
namespace {

// One that fails must not take the others with it.
template <typename Action>
void Guarded(Action action) {
  try {
    action();
  } catch (const std::exception& error) {
    log::LogError("an event of inference failed", {{"reason", error.what()}});
  }
}

}  // namespace

EventLoop::EventLoop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!epoll_.valid() || !wake_.valid()) ThrowErrno("epoll of inference");
  epoll_event event{EPOLLIN, {.u64 = 0}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) ThrowErrno("epoll_ctl");
}

EventLoop::~EventLoop() { Stop(); }

void EventLoop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void EventLoop::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = ::write(wake_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
}

bool EventLoop::Post(Task task) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return false;
    posted_.push_back(std::move(task));
    if (posted_.size() > 1) return true;
  }
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = ::write(wake_.get(), &one, sizeof one);
  return true;
}

EventLoop::TimerId EventLoop::After(std::chrono::milliseconds delay, Task task) {
  TimerId id{std::chrono::steady_clock::now() + delay, ++last_timer_};
  timers_.emplace(id, std::move(task));
  return id;
}

EventLoop::WatchId EventLoop::Watch(int fd, uint32_t events, std::function<void(uint32_t)> ready) {
  WatchId id = ++last_watch_;
  epoll_event event{events, {.u64 = id}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) ThrowErrno("epoll_ctl");
  watched_.emplace(id, std::make_shared<Watched>(Watched{fd, std::move(ready)}));
  return id;
}

void EventLoop::Change(WatchId watch, uint32_t events) {
  auto found = watched_.find(watch);
  if (found == watched_.end()) return;
  epoll_event event{events, {.u64 = watch}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, found->second->fd, &event);
}

void EventLoop::Unwatch(WatchId watch) {
  auto found = watched_.find(watch);
  if (found == watched_.end()) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second->fd, nullptr);
  watched_.erase(found);
}

int EventLoop::WaitMillis() const {
  if (timers_.empty()) return -1;
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      timers_.begin()->first.first - std::chrono::steady_clock::now() +
      std::chrono::microseconds(999));
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000));
}

void EventLoop::RunPosted() {
  std::vector<Task> tasks;
  {
    std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) Guarded(task);
}

void EventLoop::RunTimers() {
  Time now = std::chrono::steady_clock::now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    Task task = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    Guarded(task);
  }
}

void EventLoop::Run() {
  ::pthread_setname_np(::pthread_self(), "inference");
  epoll_event events[64];
  while (true) {
    int count = ::epoll_wait(epoll_.get(), events, 64, WaitMillis());
    bool stopped;
    {
      std::lock_guard lock(mutex_);
      stopped = stopped_;
    }
    if (stopped) return RunPosted();
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == 0) {
        uint64_t value;
        [[maybe_unused]] ssize_t got = ::read(wake_.get(), &value, sizeof value);
        continue;
      }
      auto found = watched_.find(events[i].data.u64);
      if (found == watched_.end()) continue;
      std::shared_ptr<Watched> watched = found->second;  // it may unwatch itself
      Guarded([&] { watched->ready(events[i].events); });
    }
    RunTimers();
    RunPosted();
  }
}

}  // namespace hearth::inference

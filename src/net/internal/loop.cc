#include "net/internal/loop.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "net/internal/child_run.h"
#include "net/internal/session.h"

namespace hearth::net {
namespace {

// Which loop the current thread runs, if any: its own posts need no wake-up.
thread_local const Loop* running_loop = nullptr;

// A fault of one connection must not end the others.
template <typename Call>
void Contain(const Call& call) {
  try {
    call();
  } catch (const std::exception& error) {
    log::LogError("exception on an I/O thread", {{"reason", error.what()}});
  }
}

}  // namespace

void Watch::Open(Loop& loop, int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = this;
  if (::epoll_ctl(loop.epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) ThrowErrno("epoll_ctl");
  loop_ = &loop;
  fd_ = fd;
}

void Watch::Stop() {
  if (!loop_) return;
  // Closing would not do: a child that is being spawned shares the open file until it execs.
  ::epoll_ctl(loop_->epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr);
  loop_->Forget(this);
  loop_ = nullptr;
}

Loop::Loop(std::chrono::milliseconds tick) : epoll_(::epoll_create1(EPOLL_CLOEXEC)), tick_(tick) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  if (!epoll_.valid() || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_->fd(), &event) != 0) {
    ThrowErrno("epoll");
  }
  std::string seed = RandomBytes(sizeof id_seed_);
  std::memcpy(id_seed_, seed.data(), sizeof id_seed_);
}

Loop::~Loop() {
  Stop();
  Join();
}

void Loop::Start() {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "net-io");
    running_loop = this;
    now_ = std::chrono::steady_clock::now();
    ArmTick();
    while (!stopped_) Run();
    running_loop = nullptr;
  });
}

void Loop::Stop() {
  stopped_ = true;
  wake_->Ring();
}

void Loop::Join() {
  if (thread_.joinable()) thread_.join();
}

void Loop::Post(Task task) {
  bool first;
  {
    std::lock_guard lock(mutex_);
    // One wake-up serves everything that is posted until the loop gets to it.
    first = posted_.empty();
    posted_.push_back(std::move(task));
    has_posted_.store(true, std::memory_order_release);
  }
  if (first && running_loop != this) RingSoon(wake_);
}

Loop::TimerId Loop::RunAfter(std::chrono::milliseconds delay, Task task) {
  TimerId id{std::chrono::steady_clock::now() + delay, ++timer_count_};
  timers_.emplace(id, std::move(task));
  return id;
}

// One turn: what is ready, then what was posted, then what is due.
void Loop::Run() {
  int count =
      ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), WaitMillis());
  now_ = std::chrono::steady_clock::now();
  DispatchEvents(count);
  if (has_posted_.load(std::memory_order_acquire)) RunPosted();
  RunTimers();
}

int Loop::WaitMillis() const {
  if (has_posted_.load(std::memory_order_acquire)) return 0;
  if (timers_.empty()) return -1;
  auto left = timers_.begin()->first.first - std::chrono::steady_clock::now();
  // Rounded up: waking before the time would spin until it has come.
  auto millis = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<int64_t>(millis, 0, 60000));
}

void Loop::DispatchEvents(int count) {
  event_count_ = std::max(count, 0);
  for (event_at_ = 0; event_at_ < event_count_;) {
    const epoll_event& event = events_[static_cast<size_t>(event_at_++)];
    auto* watch = static_cast<Watch*>(event.data.ptr);
    if (!watch) continue;  // only the wake-up, or stopped in this turn
    uint32_t seen = event.events;
    Contain([watch, seen] { watch->call_(watch->owner_, seen); });
  }
  event_count_ = 0;
}

void Loop::Forget(const Watch* watch) {
  for (int i = event_at_; i < event_count_; ++i) {
    epoll_event& event = events_[static_cast<size_t>(i)];
    if (event.data.ptr == watch) event.data.ptr = nullptr;
  }
}

void Loop::RunPosted() {
  std::vector<Task> tasks;
  {
    std::lock_guard lock(mutex_);
    tasks.swap(posted_);
    has_posted_.store(false, std::memory_order_relaxed);
  }
  for (Task& task : tasks) {
    Contain(task);
    task = nullptr;
  }
}

void Loop::RunTimers() {
  while (!timers_.empty() && timers_.begin()->first.first <= now_) {
    Task task = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    Contain(task);
  }
}

void Loop::ArmTick() {
  RunAfter(tick_, [this] {
    ArmTick();
    for (const auto& session : Sessions()) session->Tick(now_);
  });
}

// Unique, not secret: a random prefix per loop and a counter.
std::string Loop::NextRequestId() {
  uint64_t count = id_seed_[1]++;
  char raw[12];
  std::memcpy(raw, &id_seed_[0], 4);
  std::memcpy(raw + 4, &count, 8);
  return HexEncode({raw, sizeof raw});
}

}  // namespace hearth::net

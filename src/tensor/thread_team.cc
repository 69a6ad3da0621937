#include "tensor/thread_team.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace hearth::tensor {
namespace {

// A spinner gives its core away after about 50 us: with more threads than free cores the member
// that is waited for must get to run.
constexpr int kSpins = 2000;

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <typename Done>
void SpinUntil(Done done) {
  for (int spins = 0; !done(); ++spins) {
    if (spins < kSpins) {
      Pause();
    } else {
      sched_yield();
    }
  }
}

}  // namespace

struct ThreadTeam::State {
  // Phases are numbered; a member runs phase n once `phase` reaches it and then counts itself done.
  alignas(64) std::atomic<uint64_t> phase{0};
  alignas(64) std::atomic<int> done{0};
  Erased call = nullptr;
  void* function = nullptr;
  std::atomic<bool> awake{false};
  bool stop = false;
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<std::thread> members;

  void Work(int member) {
    uint64_t seen = 0;
    for (;;) {
      // Runs of small batches follow each other at once: waking up would take a part of each.
      for (int spins = 0; spins < kSpins && !awake.load(std::memory_order_acquire); ++spins) {
        Pause();
      }
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return stop || awake.load(std::memory_order_relaxed); });
        if (stop) return;
      }
      for (;;) {
        uint64_t next = seen;
        SpinUntil([&] {
          next = phase.load(std::memory_order_acquire);
          return next != seen || !awake.load(std::memory_order_acquire);
        });
        if (next == seen) break;
        seen = next;
        call(function, member);
        done.fetch_add(1, std::memory_order_release);
      }
    }
  }
};

ThreadTeam::ThreadTeam(int threads) : threads_(threads), state_(std::make_unique<State>()) {
  if (threads_ <= 0) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    threads_ = sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
    threads_ = std::max(threads_, 1);
  }
  for (int member = 1; member < threads_; ++member) {
    state_->members.emplace_back([this, member] { state_->Work(member); });
  }
}

ThreadTeam::~ThreadTeam() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stop = true;
    state_->awake.store(false, std::memory_order_release);
  }
  state_->wake.notify_all();
  for (std::thread& member : state_->members) member.join();
}

void ThreadTeam::Begin() {
  if (threads_ == 1) return;
  {
    std::lock_guard lock(state_->mutex);
    state_->awake.store(true, std::memory_order_release);
  }
  state_->wake.notify_all();
}

void ThreadTeam::End() {
  if (threads_ == 1) return;
  state_->awake.store(false, std::memory_order_release);
}

void ThreadTeam::RunErased(Erased call, void* function) {
  if (threads_ == 1) {
    call(function, 0);
    return;
  }
  state_->call = call;
  state_->function = function;
  state_->done.store(0, std::memory_order_relaxed);
  state_->phase.fetch_add(1, std::memory_order_release);
  call(function, 0);
  SpinUntil([&] { return state_->done.load(std::memory_order_acquire) == threads_ - 1; });
}

std::pair<uint64_t, uint64_t> ThreadTeam::Part(int member, uint64_t count, uint64_t grain) const {
  uint64_t grains = (count + grain - 1) / grain;
  uint64_t begin = grains * member / threads_, end = grains * (member + 1) / threads_;
  return {std::min(begin * grain, count), std::min(end * grain, count)};
}

}  // namespace hearth::tensor

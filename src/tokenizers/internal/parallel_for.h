// Work on many items by a few threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace hearth::tokenizers::internal {

// Calls work(index) for every index below `count`, on up to `threads` threads (0: as many as the
// machine has), the caller's included. The first exception is thrown when all have ended.
template <typename Work>
void ParallelFor(size_t count, int threads, Work&& work) {
  size_t wanted = threads > 0 ? static_cast<size_t>(threads) : std::thread::hardware_concurrency();
  wanted = std::clamp<size_t>(wanted, 1, std::max<size_t>(count, 1));
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::exception_ptr fault;
  auto run = [&] {
    try {
      for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) work(i);
    } catch (...) {
      next = count;
      std::lock_guard lock(mutex);
      if (!fault) fault = std::current_exception();
    }
  };
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < wanted; ++i) helpers.emplace_back(run);
  run();
  for (std::thread& helper : helpers) helper.join();
  if (fault) std::rethrow_exception(fault);
}

}  // namespace hearth::tokenizers::internal

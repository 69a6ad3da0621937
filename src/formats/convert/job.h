// What all conversions share: their settings, their progress, and how they are stopped.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "formats/source/file_writer.h"

namespace hearth::convert {

struct Job {
  IfExists if_exists = IfExists::kRefuse;
  // Largest size of one output file; 0 = one file whatever its size. A single tensor is never
  // split.
  uint64_t max_shard_bytes = 0;
  unsigned threads = 1;
  // Called now and then with the bytes of the source that are done and that there are.
  std::function<void(std::string_view tensor, uint64_t done, uint64_t total)> progress;
  // Looked at now and then; once true the conversion throws kUnavailable and leaves no file.
  const std::atomic<bool>* cancelled = nullptr;
};

// Throws kUnavailable when the job was cancelled.
void StopIfCancelled(const Job& job);

// Calls work(begin, end) for parts of [0, count), on job.threads threads at once. Parts begin at
// multiples of `step`. The first exception is thrown again here.
void InParallel(const Job& job, uint64_t count, uint64_t step,
                const std::function<void(uint64_t begin, uint64_t end)>& work);

}  // namespace hearth::convert

// How much of the machine one caller may ask for: two token buckets a caller, one of requests and
// one of seconds that models have computed.
//
// A bucket refills evenly and holds at most what is given for a window, so that a caller who was
// quiet may send a burst. Compute is known only afterwards: it is charged then and may take the
// bucket below zero, which the next requests wait for. Thread-safe; callers that were quiet for
// long cost no memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace hearth::inference {

struct RateLimitOptions {
  std::chrono::seconds window = std::chrono::minutes(5);
  // In a window, of one caller; 0 = no limit.
  double requests = 1000;
  double compute_seconds = 0;
};

struct RateVerdict {
  bool admitted = true;
  const char* resource = "inference";  // what ran out: "inference" or "compute"
  uint64_t remaining = 0;              // whole requests (or seconds) that are left
  uint64_t limit = 0;                  // of a window; 0 = none
  uint64_t window_seconds = 0;
  uint64_t reset_seconds = 0;  // until there is room for one more, or the bucket is full again
};

class RateLimits {
 public:
  explicit RateLimits(Clock& clock) : clock_(clock) {}

  // `caller` names a token's user or an address. Takes one request when it admits.
  RateVerdict Admit(std::string_view caller, const RateLimitOptions& options);
  void Charge(std::string_view caller, double compute_seconds, const RateLimitOptions& options);
  size_t callers() const;

 private:
  struct Bucket {
    double level = 0;
    TimePoint at{};
  };
  struct Caller {
    std::string name;
    Bucket requests, compute;
  };
  // The caller, refilled up to now; made with full buckets when unknown.
  Caller& Find(std::string_view name, const RateLimitOptions& options);

  // A caller that was forgotten starts with full buckets: with a hundred thousand in between, it
  // was quiet for a window or there is an attack that no limit by caller can stop.
  static constexpr size_t kMaxCallers = 100'000;

  Clock& clock_;
  mutable std::mutex mutex_;
  std::list<Caller> recent_;  // last used first
  std::unordered_map<std::string_view, std::list<Caller>::iterator> by_name_;
};

}  // namespace hearth::inference

#include "inference/rate_limits.h"

#include <algorithm>
#include <cmath>

namespace hearth::inference {
namespace {

double SecondsBetween(TimePoint from, TimePoint to) {
  return std::chrono::duration<double>(to - from).count();
}

uint64_t Whole(double value) { return value <= 0 ? 0 : static_cast<uint64_t>(value); }

// Until a bucket at `level` holds `wanted`.
uint64_t SecondsUntil(double level, double wanted, double limit, std::chrono::seconds window) {
  if (level >= wanted || limit <= 0) return 0;
  double seconds = (wanted - level) * static_cast<double>(window.count()) / limit;
  return std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(seconds)));
}

}  // namespace

RateLimits::Caller& RateLimits::Find(std::string_view name, const RateLimitOptions& options) {
  TimePoint now = clock_.Now();
  auto known = by_name_.find(name);
  if (known == by_name_.end()) {
    recent_.push_front(
        {std::string(name), {options.requests, now}, {options.compute_seconds, now}});
    by_name_.emplace(recent_.front().name, recent_.begin());
    if (recent_.size() > kMaxCallers) {
      by_name_.erase(recent_.back().name);
      recent_.pop_back();
    }
    return recent_.front();
  }
  recent_.splice(recent_.begin(), recent_, known->second);
  Caller& caller = recent_.front();
  auto refill = [&](Bucket* bucket, double limit) {
    double seconds = std::max(0.0, SecondsBetween(bucket->at, now));
    double rate = limit / static_cast<double>(options.window.count());
    bucket->level = std::min(limit, bucket->level + seconds * rate);
    bucket->at = now;
  };
  refill(&caller.requests, options.requests);
  refill(&caller.compute, options.compute_seconds);
  return caller;
}

RateVerdict RateLimits::Admit(std::string_view name, const RateLimitOptions& options) {
  RateVerdict verdict;
  verdict.window_seconds = static_cast<uint64_t>(options.window.count());
  if (options.requests <= 0 && options.compute_seconds <= 0) return verdict;
  std::lock_guard lock(mutex_);
  Caller& caller = Find(name, options);
  if (options.compute_seconds > 0 && caller.compute.level <= 0) {
    verdict.admitted = false;
    verdict.resource = "compute";
    verdict.limit = Whole(options.compute_seconds);
    verdict.reset_seconds = SecondsUntil(caller.compute.level, 1e-9 + options.compute_seconds / 100,
                                         options.compute_seconds, options.window);
    return verdict;
  }
  if (options.requests <= 0) return verdict;
  verdict.limit = Whole(options.requests);
  if (caller.requests.level < 1) {
    verdict.admitted = false;
    verdict.reset_seconds =
        SecondsUntil(caller.requests.level, 1, options.requests, options.window);
    return verdict;
  }
  caller.requests.level -= 1;
  verdict.remaining = Whole(caller.requests.level);
  verdict.reset_seconds =
      SecondsUntil(caller.requests.level, options.requests, options.requests, options.window);
  return verdict;
}

void RateLimits::Charge(std::string_view name, double compute_seconds,
                        const RateLimitOptions& options) {
  if (options.compute_seconds <= 0 || !(compute_seconds > 0)) return;
  std::lock_guard lock(mutex_);
  Find(name, options).compute.level -= compute_seconds;
}

size_t RateLimits::callers() const {
  std::lock_guard lock(mutex_);
  return recent_.size();
}

}  // namespace hearth::inference

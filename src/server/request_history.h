// How many requests the last hour brought, in steps of ten seconds, for the plots of the health
// page. Thread-safe and lock-free: a step that is being replaced may lose a few counts.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace hearth::server {

class RequestHistory {
 public:
  static constexpr std::chrono::seconds kStep{10};
  static constexpr size_t kSteps = 360;

  explicit RequestHistory(Clock& clock) : clock_(clock) {}
  void Record(int status, std::chrono::microseconds elapsed);

  struct Step {
    uint64_t requests = 0;
    uint64_t faults = 0;  // answered 5xx
    uint64_t micros = 0;  // of all requests
  };
  // The last kSteps steps that are over, the oldest first.
  std::vector<Step> Read() const;

 private:
  struct Cell {
    std::atomic<int64_t> number{-1};  // which step since 1970 this cell holds
    std::atomic<uint64_t> requests{0}, faults{0}, micros{0};
  };
  int64_t StepNow() const;

  Clock& clock_;
  std::array<Cell, kSteps + 1> cells_;
};

}  // namespace hearth::server

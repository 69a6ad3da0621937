#include "server/request_history.h"

namespace hearth::server {

int64_t RequestHistory::StepNow() const {
  return ToUnixMillis(clock_.Now()) / std::chrono::milliseconds(kStep).count();
}

void RequestHistory::Record(int status, std::chrono::microseconds elapsed) {
  int64_t now = StepNow();
  Cell& cell = cells_[static_cast<size_t>(now) % cells_.size()];
  int64_t held = cell.number.load(std::memory_order_relaxed);
  if (held != now && cell.number.compare_exchange_strong(held, now)) {
    cell.requests = 0;
    cell.faults = 0;
    cell.micros = 0;
  }
  cell.requests.fetch_add(1, std::memory_order_relaxed);
  if (status >= 500) cell.faults.fetch_add(1, std::memory_order_relaxed);
  cell.micros.fetch_add(static_cast<uint64_t>(elapsed.count()), std::memory_order_relaxed);
}

std::vector<RequestHistory::Step> RequestHistory::Read() const {
  std::vector<Step> steps;
  steps.reserve(kSteps);
  int64_t now = StepNow();
  for (int64_t number = now - static_cast<int64_t>(kSteps); number < now; ++number) {
    const Cell& cell = cells_[static_cast<size_t>(number) % cells_.size()];
    if (cell.number.load(std::memory_order_relaxed) != number) {
      steps.emplace_back();
    } else {
      steps.push_back({cell.requests, cell.faults, cell.micros});
    }
  }
  return steps;
}

}  // namespace hearth::server

// What /metrics shows, in Prometheus' text format. Thread-safe; recording is lock-free.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hub/hub.h"
#include "inference/scheduler.h"
#include "net/server.h"

namespace hearth::server {

class Metrics {
 public:
  // `routes`: all patterns that will be recorded; others are counted under "other".
  explicit Metrics(const std::vector<std::string>& routes);
  void Record(std::string_view route, int status, std::chrono::microseconds elapsed);
  std::string Render(const net::ServerStats& stats) const;

 private:
  // Upper bounds in microseconds: from a cached answer (100 us) to a long upload (60 s), each about
  // 3 times the last.
  static constexpr std::array<int64_t, 13> kBounds = {100,      300,      1000,    3000,    10000,
                                                      30000,    100000,   300000,  1000000, 3000000,
                                                      10000000, 30000000, 60000000};
  struct Series {
    std::array<std::atomic<uint64_t>, 5> by_class{};  // 1xx .. 5xx
    std::array<std::atomic<uint64_t>, kBounds.size() + 1> buckets{};
    std::atomic<uint64_t> sum_micros{0};
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, std::unique_ptr<Series>, Hash, std::equal_to<>> series_;
  Series* other_ = nullptr;
};

// What the hub holds, in the same format: repositories, accounts, stored objects, waiting jobs,
// room on the disk. One sum over the table of objects; the rest is in memory.
std::string RenderHubMetrics(hub::Hub& hub);
// The models that the hub runs; nothing when it runs none (nullptr).
std::string RenderInferenceMetrics(const inference::Scheduler* scheduler);

}  // namespace hearth::server

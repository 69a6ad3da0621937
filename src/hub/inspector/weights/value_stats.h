// Cheap statistics of a tensor's values in one pass: how many, how many zeros, mean, standard
// deviation, largest magnitude.
//
// Values are taken in groups of up to 4096. Inside a group sixteen fp32 lanes add up differences
// from a shift (the first value), groups add up in fp64: the relative error of the deviation stays
// near 1e-5 also for norms, whose values lie close to one. Every tier computes the same bits. What
// is not finite is counted and left out. A StatsCollector belongs to one thread.
#pragma once

#include <cstdint>
#include <span>

#include "base/cpu.h"

namespace hearth::inspector {

struct ValueStats {
  uint64_t values = 0;
  uint64_t zeros = 0;       // of either sign
  uint64_t not_finite = 0;  // NaN, infinities
  // Of the finite values; 0 when there are none.
  double mean = 0;
  double deviation = 0;  // of the population
  double absmax = 0;

  bool operator==(const ValueStats&) const = default;
};

// Values of one group: sixteen KiB of fp32, half of a first-level cache.
inline constexpr size_t kStatsGroup = 4096;

class StatsCollector {
 public:
  explicit StatsCollector(Tier tier = CpuTier());

  // The next values of the tensor. Every call begins a group: calls with whole groups (all but the
  // last) give results that do not depend on how the tensor was cut.
  void Add(std::span<const float> values);
  ValueStats Finish() const;

 private:
  void AddGroup(std::span<const float> values);
  void AddSlowly(std::span<const float> values);

  Tier tier_;
  bool has_shift_ = false;
  float shift_ = 0;
  double sum_ = 0;      // of differences from the shift
  double squares_ = 0;  // of the same
  double absmax_ = 0;
  uint64_t values_ = 0;
  uint64_t zeros_ = 0;
  uint64_t not_finite_ = 0;
};

}  // namespace hearth::inspector

#include "hub/inspector/weights/value_stats.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "hub/inspector/weights/internal/group_sums.h"

namespace hearth::inspector {
namespace internal {

SumGroup SumGroupOf(Tier tier) {
#if defined(__x86_64__)
  if (tier == Tier::kAvx512) return SumGroupAvx512;
  if (tier == Tier::kAvx2) return SumGroupAvx2;
#endif
  (void)tier;
  return SumGroupPortable;
}

}  // namespace internal

namespace {

constexpr uint32_t kInfinityBits = 0x7F800000;
// Squares of larger values leave the range of fp32 when 256 of them are added up.
constexpr float kLargeValue = 1e18f;

}  // namespace

StatsCollector::StatsCollector(Tier tier) : tier_(tier) {}

void StatsCollector::Add(std::span<const float> values) {
  for (size_t at = 0; at < values.size(); at += kStatsGroup)
    AddGroup(values.subspan(at, std::min(kStatsGroup, values.size() - at)));
}

void StatsCollector::AddGroup(std::span<const float> values) {
  if (!has_shift_) {
    has_shift_ = true;
    if (std::abs(values[0]) < kLargeValue) shift_ = values[0];
  }
  internal::GroupSums sums;
  internal::SumGroupOf(tier_)(values.data(), values.size(), shift_, &sums);
  if (sums.max_bits >= std::bit_cast<uint32_t>(kLargeValue)) return AddSlowly(values);
  values_ += values.size();
  zeros_ += sums.zeros;
  sum_ += sums.sum;
  squares_ += sums.squares;
  absmax_ = std::max<double>(absmax_, std::bit_cast<float>(sums.max_bits));
}

void StatsCollector::AddSlowly(std::span<const float> values) {
  values_ += values.size();
  for (float value : values) {
    if ((std::bit_cast<uint32_t>(value) & kInfinityBits) == kInfinityBits) {
      ++not_finite_;
      continue;
    }
    zeros_ += value == 0 ? 1 : 0;
    double difference = static_cast<double>(value) - shift_;
    sum_ += difference;
    squares_ += difference * difference;
    absmax_ = std::max(absmax_, std::abs(static_cast<double>(value)));
  }
}

ValueStats StatsCollector::Finish() const {
  ValueStats stats{.values = values_, .zeros = zeros_, .not_finite = not_finite_};
  uint64_t finite = values_ - not_finite_;
  if (finite == 0) return stats;
  double count = static_cast<double>(finite);
  double mean = sum_ / count;
  stats.mean = shift_ + mean;
  stats.deviation = std::sqrt(std::max(0.0, squares_ / count - mean * mean));
  stats.absmax = absmax_;
  return stats;
}

}  // namespace hearth::inspector

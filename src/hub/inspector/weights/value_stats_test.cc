#include "hub/inspector/weights/value_stats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace hearth::inspector {
namespace {

ValueStats Of(const std::vector<float>& values, Tier tier = CpuTier()) {
  StatsCollector collector(tier);
  collector.Add(values);
  return collector.Finish();
}

ValueStats Exactly(const std::vector<float>& values) {
  ValueStats stats;
  long double sum = 0, squares = 0;
  for (float value : values) {
    ++stats.values;
    stats.zeros += value == 0 ? 1 : 0;
    sum += value;
    stats.absmax = std::max<double>(stats.absmax, std::abs(value));
  }
  stats.mean = static_cast<double>(sum / values.size());
  for (float value : values) squares += std::pow(value - static_cast<long double>(stats.mean), 2);
  stats.deviation = std::sqrt(static_cast<double>(squares / values.size()));
  return stats;
}

std::vector<float> Normal(size_t count, float mean, float deviation) {
  std::mt19937 random(7);
  std::normal_distribution<float> draw(mean, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = draw(random);
  return values;
}

TEST(ValueStatsTest, AgreesWithExactArithmeticForWeightsAndForNorms) {
  for (auto [mean, deviation] : {std::pair{0.0f, 0.02f}, {1.0f, 0.01f}, {-30.0f, 0.5f}}) {
    for (size_t count : {1u, 15u, 17u, 4096u, 4097u, 100'003u}) {
      std::vector<float> values = Normal(count, mean, deviation);
      if (count > 16) values[3] = values[9] = 0;
      ValueStats ours = Of(values), exact = Exactly(values);
      EXPECT_EQ(ours.values, exact.values);
      EXPECT_EQ(ours.zeros, exact.zeros);
      EXPECT_EQ(ours.absmax, exact.absmax);
      EXPECT_NEAR(ours.mean, exact.mean, 1e-5 * (std::abs(exact.mean) + exact.deviation));
      EXPECT_NEAR(ours.deviation, exact.deviation, 1e-4 * exact.deviation + 1e-9);
    }
  }
}

TEST(ValueStatsTest, EveryTierGivesTheSameBits) {
  std::vector<float> values = Normal(50'011, 0.3f, 2.0f);
  values[777] = std::numeric_limits<float>::quiet_NaN();
  ValueStats portable = Of(values, Tier::kPortable);
  for (Tier tier : SupportedTiers()) EXPECT_EQ(Of(values, tier), portable) << TierName(tier);
}

TEST(ValueStatsTest, ATensorCutAtGroupsGivesTheSame) {
  std::vector<float> values = Normal(20'000, 0.0f, 1.0f);
  StatsCollector pieces;
  std::span<const float> all(values);
  pieces.Add(all.first(2 * kStatsGroup));
  pieces.Add(all.subspan(2 * kStatsGroup));
  EXPECT_EQ(pieces.Finish(), Of(values));
}

TEST(ValueStatsTest, WhatIsNotFiniteIsCountedAndLeftOut) {
  float infinity = std::numeric_limits<float>::infinity();
  ValueStats stats = Of({1, -infinity, std::nanf(""), 3, -0.0f, 0});
  EXPECT_EQ(stats.values, 6u);
  EXPECT_EQ(stats.not_finite, 2u);
  EXPECT_EQ(stats.zeros, 2u);
  EXPECT_DOUBLE_EQ(stats.mean, 1);
  EXPECT_EQ(stats.absmax, 3);
  EXPECT_EQ(Of({infinity, infinity}).mean, 0);
}

TEST(ValueStatsTest, TheLargestFloatsDoNotOverflow) {
  ValueStats stats = Of({3e38f, -3e38f, 3e38f, -3e38f});
  EXPECT_NEAR(stats.deviation, 3e38, 1e32);
  EXPECT_EQ(Of({}).values, 0u);
}

}  // namespace
}  // namespace hearth::inspector

#include "inference/rate_limits.h"

#include <gtest/gtest.h>

namespace hearth::inference {
namespace {

using std::chrono::seconds;

class RateLimitsTest : public ::testing::Test {
 protected:
  ManualClock clock_{FromUnixMillis(1'800'000'000'000)};
  RateLimits limits_{clock_};
};

TEST_F(RateLimitsTest, ABurstIsAdmittedThenTheRate) {
  RateLimitOptions options{seconds(100), 10, 0};
  for (int i = 0; i < 10; ++i) {
    RateVerdict verdict = limits_.Admit("ada", options);
    EXPECT_TRUE(verdict.admitted);
    EXPECT_EQ(verdict.remaining, static_cast<uint64_t>(9 - i));
    EXPECT_EQ(verdict.limit, 10u);
  }
  RateVerdict refused = limits_.Admit("ada", options);
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.reset_seconds, 10u);
  EXPECT_EQ(refused.remaining, 0u);
  clock_.Advance(seconds(10));
  EXPECT_TRUE(limits_.Admit("ada", options).admitted);
  EXPECT_FALSE(limits_.Admit("ada", options).admitted);
  clock_.Advance(seconds(1000));
  EXPECT_EQ(limits_.Admit("ada", options).remaining, 9u);
}

TEST_F(RateLimitsTest, CallersDoNotShare) {
  RateLimitOptions options{seconds(100), 1, 0};
  EXPECT_TRUE(limits_.Admit("ada", options).admitted);
  EXPECT_FALSE(limits_.Admit("ada", options).admitted);
  EXPECT_TRUE(limits_.Admit("grace", options).admitted);
}

TEST_F(RateLimitsTest, ComputeIsOwedAndPaidBackWithTime) {
  RateLimitOptions options{seconds(100), 0, 50};
  EXPECT_TRUE(limits_.Admit("ada", options).admitted);
  limits_.Charge("ada", 60, options);
  RateVerdict refused = limits_.Admit("ada", options);
  EXPECT_FALSE(refused.admitted);
  EXPECT_STREQ(refused.resource, "compute");
  EXPECT_GE(refused.reset_seconds, 20u);
  clock_.Advance(seconds(refused.reset_seconds));
  EXPECT_TRUE(limits_.Admit("ada", options).admitted);
}

TEST_F(RateLimitsTest, NothingIsKeptWithoutLimits) {
  RateLimitOptions options{seconds(100), 0, 0};
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limits_.Admit("ada", options).admitted);
  limits_.Charge("ada", 1e9, options);
  EXPECT_EQ(limits_.callers(), 0u);
}

TEST_F(RateLimitsTest, AClockThatGoesBackTakesNothingAway) {
  RateLimitOptions options{seconds(100), 2, 0};
  EXPECT_TRUE(limits_.Admit("ada", options).admitted);
  clock_.Advance(-std::chrono::hours(1));
  EXPECT_TRUE(limits_.Admit("ada", options).admitted);
  EXPECT_FALSE(limits_.Admit("ada", options).admitted);
}

TEST_F(RateLimitsTest, MemoryIsBoundedByTheCallersOfLate) {
  RateLimitOptions options{seconds(100), 1, 0};
  for (int i = 0; i < 100'050; ++i) limits_.Admit(std::to_string(i), options);
  EXPECT_EQ(limits_.callers(), 100'000u);
}

}  // namespace
}  // namespace hearth::inference

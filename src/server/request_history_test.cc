#include "server/request_history.h"

#include <gtest/gtest.h>

namespace hearth::server {
namespace {

using std::chrono::microseconds;

TEST(RequestHistory, CountsByStepsAndForgetsAfterAnHour) {
  ManualClock clock(FromUnixMillis(1'800'000'000'000));
  RequestHistory history(clock);
  history.Record(200, microseconds(100));
  history.Record(503, microseconds(300));
  // The step that runs is not shown: it would always look like a drop.
  EXPECT_EQ(history.Read().back().requests, 0u);
  clock.Advance(RequestHistory::kStep);
  RequestHistory::Step step = history.Read().back();
  EXPECT_EQ(step.requests, 2u);
  EXPECT_EQ(step.faults, 1u);
  EXPECT_EQ(step.micros, 400u);
  clock.Advance(RequestHistory::kStep * (RequestHistory::kSteps - 1));
  EXPECT_EQ(history.Read().front().requests, 2u);
  clock.Advance(RequestHistory::kStep);
  history.Record(200, microseconds(1));
  for (const RequestHistory::Step& past : history.Read()) EXPECT_EQ(past.requests, 0u);
}

}  // namespace
}  // namespace hearth::server

#include "hub/weight_jobs.h"

#include <gtest/gtest.h>

#include <future>

#include "base/error.h"
#include "hub/hub_fixture.h"

namespace hearth::hub {
namespace {

// A job that says when it runs, and ends when it is let go or told to stop.
struct Gate {
  std::promise<void> started, open;
  std::shared_future<void> opened = open.get_future().share();

  WeightJobs::Work Work(Json result) {
    return {10, [this, result](const inspector::ScanHooks& hooks) {
              hooks.progress(4);
              started.set_value();
              while (opened.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready)
                if (*hooks.stop) throw Error(Code::kUnavailable, "stopped");
              return result;
            }};
  }
};

WeightJobs::Work Quick(Json result) {
  return {1, [result](const inspector::ScanHooks&) { return result; }};
}

WeightJobStatus WaitFor(const WeightJobs& jobs, const std::string& key) {
  while (true) {
    WeightJobStatus status = jobs.StatusOf(key);
    bool waits =
        status.state == WeightJobState::kQueued || status.state == WeightJobState::kRunning;
    if (!waits) return status;
    std::this_thread::yield();
  }
}

class StoredWeightJobsTest : public HubFixture {};

TEST_F(StoredWeightJobsTest, AResultOutlivesTheProcessAndTheOldestMakeRoom) {
  {
    WeightJobs jobs(&hub_->db());
    jobs.Start("a", Quick(Json("first")), 4);
    WaitFor(jobs, "a");
    jobs.Start("broken",
               {1,
                [](const inspector::ScanHooks&) -> Json {
                  throw Error(Code::kUnprocessable, "no weights");
                }},
               4);
    WaitFor(jobs, "broken");
  }
  WeightJobs again(&hub_->db());
  WeightJobStatus kept = again.StatusOf("a");
  EXPECT_EQ(kept.state, WeightJobState::kDone);
  EXPECT_EQ(*kept.result.AsString(), "first");
  // Who asks again gets it without work.
  EXPECT_EQ(*again.Start("a", Quick(Json("second")), 0).result.AsString(), "first");
  EXPECT_EQ(again.StatusOf("broken").state, WeightJobState::kUnknown);
  for (size_t i = 0; i < WeightJobs::kStored; ++i) {
    again.Start("b" + std::to_string(i), Quick(Json(i)), 4);
    WaitFor(again, "b" + std::to_string(i));
  }
  EXPECT_EQ(again.StatusOf("a").state, WeightJobState::kUnknown);
  EXPECT_EQ(again.StatusOf("b0").state, WeightJobState::kDone);
}

TEST(WeightJobsTest, TheSecondWhoAsksJoinsAndTheResultStays) {
  WeightJobs jobs;
  Gate gate;
  jobs.Start("a", gate.Work(Json(7)), 4);
  gate.started.get_future().wait();
  WeightJobStatus seen = jobs.Start("a", Quick(Json(8)), 4);
  EXPECT_EQ(seen.state, WeightJobState::kRunning);
  EXPECT_EQ(seen.done, 4u);
  EXPECT_EQ(seen.total, 10u);
  gate.open.set_value();
  EXPECT_EQ(WaitFor(jobs, "a").result, Json(7));
  EXPECT_EQ(jobs.Start("a", Quick(Json(8)), 4).state, WeightJobState::kDone);
  EXPECT_EQ(jobs.StatusOf("b").state, WeightJobState::kUnknown);
}

TEST(WeightJobsTest, WaitingAndRunningJobsAreCancelled) {
  WeightJobs jobs;
  Gate gate;
  jobs.Start("a", gate.Work(Json(1)), 4);
  gate.started.get_future().wait();
  jobs.Start("b", Quick(Json(2)), 4);
  jobs.Cancel("b");
  EXPECT_EQ(jobs.StatusOf("b").state, WeightJobState::kCancelled);
  jobs.Cancel("a");
  EXPECT_EQ(WaitFor(jobs, "a").state, WeightJobState::kCancelled);
  jobs.Start("b", Quick(Json(2)), 4);  // again
  EXPECT_EQ(WaitFor(jobs, "b").result, Json(2));
}

TEST(WeightJobsTest, TheQueueIsShortAndFaultsAreTold) {
  WeightJobs jobs;
  Gate gate;
  jobs.Start("a", gate.Work(Json(1)), 1);
  gate.started.get_future().wait();
  jobs.Start(
      "b", {1, [](const inspector::ScanHooks&) -> Json { throw Error(Code::kConflict, "moved"); }},
      1);
  EXPECT_THROW(jobs.Start("c", Quick(Json(3)), 1), Error);
  gate.open.set_value();
  WeightJobStatus failed = WaitFor(jobs, "b");
  EXPECT_EQ(failed.state, WeightJobState::kFailed);
  EXPECT_EQ(failed.reason, "moved");
}

TEST(WeightJobsTest, OldResultsAreForgotten) {
  WeightJobs jobs;
  for (int i = 0; i < 100; ++i) {
    jobs.Start(std::to_string(i), Quick(Json(i)), 4);
    WaitFor(jobs, std::to_string(i));
  }
  EXPECT_EQ(jobs.StatusOf("0").state, WeightJobState::kUnknown);
  EXPECT_EQ(WaitFor(jobs, "99").result, Json(99));
}

}  // namespace
}  // namespace hearth::hub

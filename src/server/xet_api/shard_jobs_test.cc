#include "server/xet_api/shard_jobs.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <vector>

#include "base/error.h"

namespace hearth::server {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLong{60'000};

TEST(ShardJobs, GiveTheResultOrTheFault) {
  ShardJobs jobs(2, 2);
  auto good = jobs.Start(1, [](const ShardJob::Report&) { return true; });
  auto bad = jobs.Start(
      1, [](const ShardJob::Report&) -> bool { throw Error(Code::kInvalidArgument, "a lie"); });
  EXPECT_TRUE(good.at_once);
  ASSERT_TRUE(good.job->WaitFor(kLong).done);
  EXPECT_TRUE(good.job->Result());
  ASSERT_TRUE(bad.job->WaitFor(kLong).done);
  EXPECT_THROW(bad.job->Result(), Error);
}

TEST(ShardJobs, TellHowFarTheyAre) {
  ShardJobs jobs(1, 0);
  std::promise<void> reported, go_on;
  auto started = jobs.Start(1, [&](const ShardJob::Report& report) {
    report(5, 10);
    reported.set_value();
    go_on.get_future().wait();
    return false;
  });
  reported.get_future().wait();
  ShardJob::State state = started.job->WaitFor(milliseconds(0));
  EXPECT_FALSE(state.done);
  EXPECT_EQ(state.verified, 5u);
  EXPECT_EQ(state.total, 10u);
  go_on.set_value();
  EXPECT_TRUE(started.job->WaitFor(kLong).done);
}

TEST(ShardJobs, WaitTheirTurnAndAreRefusedWhenTooManyWait) {
  ShardJobs jobs(1, 1);
  std::promise<void> go_on;
  std::shared_future<void> gate = go_on.get_future().share();
  auto work = [gate](const ShardJob::Report&) {
    gate.wait();
    return true;
  };
  auto first = jobs.Start(1, work);
  auto second = jobs.Start(1, work);
  EXPECT_TRUE(first.at_once);
  EXPECT_FALSE(second.at_once);
  try {
    jobs.Start(1, work);
    ADD_FAILURE() << "a third job was taken in";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
  }
  go_on.set_value();
  EXPECT_TRUE(first.job->WaitFor(kLong).done);
  EXPECT_TRUE(second.job->WaitFor(kLong).done);
}

TEST(ShardJobs, AnEndStopsWhatRunsAndDropsWhatWaits) {
  auto jobs = std::make_unique<ShardJobs>(1, 1);
  std::promise<void> begun;
  bool untouched = true;
  auto running = jobs->Start(1, [&](const ShardJob::Report& report) -> bool {
    begun.set_value();
    while (true) report(0, 1);  // ends by what report throws
  });
  auto waiting = jobs->Start(1, [&](const ShardJob::Report&) { return untouched = false; });
  begun.get_future().wait();
  jobs.reset();
  ASSERT_TRUE(running.job->WaitFor(milliseconds(0)).done);
  EXPECT_THROW(running.job->Result(), Error);
  ASSERT_TRUE(waiting.job->WaitFor(milliseconds(0)).done);
  EXPECT_THROW(waiting.job->Result(), Error);
  EXPECT_TRUE(untouched) << "a waiting job ran during the shutdown";
}

// A job owns its shard; a client that has left must not keep it.
TEST(ShardJobs, WorkIsFreedWhenItIsDone) {
  ShardJobs jobs(1, 0);
  auto held = std::make_shared<int>(0);
  std::weak_ptr<int> watch = held;
  auto started = jobs.Start(1, [held = std::move(held)](const ShardJob::Report&) { return true; });
  ASSERT_TRUE(started.job->WaitFor(kLong).done);
  EXPECT_TRUE(watch.expired());
}

TEST(ShardJobs, OneOwnerLeavesAPlaceToTheOthers) {
  ShardJobs jobs(2, 16);
  std::promise<void> go_on;
  std::shared_future<void> gate = go_on.get_future().share();
  auto work = [gate](const ShardJob::Report&) {
    gate.wait();
    return true;
  };
  std::vector<std::shared_ptr<ShardJob>> mine;
  for (int i = 0; i < 4; ++i) mine.push_back(jobs.Start(1, work).job);
  try {
    for (int i = 0; i < 4; ++i) jobs.Start(1, work);
    ADD_FAILURE() << "one owner filled the queue";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kTooManyRequests);
  }
  auto other = jobs.Start(2, [](const ShardJob::Report&) { return true; });
  EXPECT_TRUE(other.job->WaitFor(kLong).done) << "while the first owner's jobs go on";
  EXPECT_FALSE(mine[0]->WaitFor(milliseconds(0)).done);
  go_on.set_value();
  for (const auto& job : mine) EXPECT_TRUE(job->WaitFor(kLong).done);
}

}  // namespace
}  // namespace hearth::server

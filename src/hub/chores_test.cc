#include "hub/chores.h"

#include <gtest/gtest.h>

#include "hub/internal/scratch_hub_test.h"

namespace hearth::hub {
namespace {

using std::chrono::minutes;

class ChoresTest : public ScratchHubTest {
 protected:
  Code CodeOf(const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& fault) {
      return fault.code();
    }
    return Code::kInternal;
  }
};

TEST_F(ChoresTest, RunWhatIsAskedForAndKeepTheReport) {
  Chores chores(*hub_);
  int64_t dry = chores.Ask("gc-dry-run", 0, "alice");
  int64_t scrub = chores.Ask("scrub", 0, "alice");
  ASSERT_TRUE(chores.WaitIdle(minutes(1)));
  Chore done = *chores.Find(dry);
  EXPECT_EQ(done.state, Chore::State::kDone);
  EXPECT_EQ(done.asked_by, "alice");
  EXPECT_EQ(done.report.IntField("objects"), 0);
  EXPECT_TRUE(done.started_at && done.finished_at);
  EXPECT_EQ(chores.List().front().id, scrub);
  EXPECT_NE(chores.Find(scrub)->report.Find("findings"), nullptr);
}

TEST_F(ChoresTest, AFaultIsToldAndTheNextOneStillRuns) {
  Chores chores(*hub_);
  int64_t undo = chores.Ask("gc-undo", 4711, "alice");
  int64_t dry = chores.Ask("gc-dry-run", 0, "alice");
  ASSERT_TRUE(chores.WaitIdle(minutes(1)));
  EXPECT_EQ(chores.Find(undo)->state, Chore::State::kFailed);
  EXPECT_NE(chores.Find(undo)->problem, "");
  EXPECT_EQ(chores.Find(dry)->state, Chore::State::kDone);
}

TEST_F(ChoresTest, WhatIsUnknownOverOrIncompleteIsRefused) {
  Chores chores(*hub_);
  EXPECT_EQ(CodeOf([&] { chores.Ask("make-coffee", 0, "alice"); }), Code::kNotFound);
  EXPECT_EQ(CodeOf([&] { chores.Ask("gc-undo", 0, "alice"); }), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf([&] { chores.Cancel(1); }), Code::kNotFound);
  int64_t dry = chores.Ask("gc-dry-run", 0, "alice");
  ASSERT_TRUE(chores.WaitIdle(minutes(1)));
  EXPECT_EQ(CodeOf([&] { chores.Cancel(dry); }), Code::kConflict);
  chores.Stop();
  EXPECT_EQ(CodeOf([&] { chores.Ask("scrub", 0, "alice"); }), Code::kUnavailable);
}

}  // namespace
}  // namespace hearth::hub

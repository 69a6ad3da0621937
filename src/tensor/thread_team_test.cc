#include "tensor/thread_team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <vector>

namespace hearth::tensor {
namespace {

TEST(ThreadTeam, EveryMemberRunsEachPhaseOnceAndRunWaitsForAll) {
  for (int threads : {1, 2, 5}) {
    ThreadTeam team(threads);
    std::vector<int> calls(threads);
    for (int round = 0; round < 3; ++round) {
      team.Begin();
      for (int phase = 0; phase < 200; ++phase) {
        team.Run([&](int member) { ++calls[member]; });
        EXPECT_EQ(std::accumulate(calls.begin(), calls.end(), 0),
                  threads * (round * 200 + phase + 1));
      }
      team.End();
    }
  }
}

TEST(ThreadTeam, PartsCoverAllItemsOnceAtMultiplesOfTheGrain) {
  ThreadTeam team(3);
  for (uint64_t count : {0u, 1u, 7u, 16u, 100u}) {
    uint64_t next = 0;
    for (int member = 0; member < 3; ++member) {
      auto [begin, end] = team.Part(member, count, 16);
      EXPECT_EQ(begin, next);
      EXPECT_TRUE(begin % 16 == 0 || begin == count);
      next = end;
    }
    EXPECT_EQ(next, count);
  }
}

}  // namespace
}  // namespace hearth::tensor

#include "cli/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/utf8.h"

namespace hearth::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Progress, TellsHowFarHowFastAndHowLongStill) {
  std::string line =
      Progress::Line("reading", 500'000'000, 2'000'000'000, ProgressUnit::kBytes, 5.0, 120);
  EXPECT_THAT(line, HasSubstr("reading  25% |██████ "));
  EXPECT_THAT(line, HasSubstr("500.0 MB/2.0 GB 100.0 MB/s 0:15 left"));
}

TEST(Progress, WithoutATotalTellsTheAmount) {
  std::string line = Progress::Line("words", 12'345, 0, ProgressUnit::kItems, 2.0, 120);
  EXPECT_EQ(line, "words 12.3k 6172/s");
}

TEST(Progress, FitsTheTerminalAndNeverPassesAHundred) {
  std::string line = Progress::Line("x", 30, 20, ProgressUnit::kItems, 1.0, 30);
  EXPECT_THAT(line, HasSubstr("100%"));
  EXPECT_EQ(CountCodePoints(line), 29u);
  EXPECT_THAT(Progress::Line("x", 0, 20, ProgressUnit::kItems, 0, 80), Not(HasSubstr("left")));
}

}  // namespace
}  // namespace hearth::cli

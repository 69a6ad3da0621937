#include "cli/duration.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth::cli {
namespace {

TEST(DurationTest, UnitsAreUnderstood) {
  EXPECT_EQ(ParseDuration("0", "--x").count(), 0);
  EXPECT_EQ(ParseDuration("45s", "--x").count(), 45);
  EXPECT_EQ(ParseDuration("30m", "--x").count(), 1800);
  EXPECT_EQ(ParseDuration("22d", "--x").count(), 22 * 86400);
  EXPECT_EQ(ParseDuration("3w", "--x").count(), 21 * 86400);
}

TEST(DurationTest, EverythingElseIsRefused) {
  for (const char* text :
       {"", "d", "5", "-5d", "5 d", "5D", "1.5h", "99999999999d", "18446744073709551616s"}) {
    EXPECT_THROW(ParseDuration(text, "--x"), Error) << text;
  }
}

TEST(DurationTest, BytesAreShownInOneUnit) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(999), "999 B");
  EXPECT_EQ(HumanBytes(1'000), "1.0 kB");
  EXPECT_EQ(HumanBytes(999'999), "1.0 MB");
  EXPECT_EQ(HumanBytes(1'440'000'000), "1.4 GB");
}

}  // namespace
}  // namespace hearth::cli

#include "codec/percent.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

TEST(DecodePercent, ReadsWhatIsHexAndLeavesTheRest) {
  EXPECT_EQ(DecodePercent("pyth%6Fn/a%2fb"), "python/a/b");
  EXPECT_EQ(DecodePercent("100% sure, %zz, %4"), "100% sure, %zz, %4");
  EXPECT_EQ(DecodePercent("%2541"), "%41");
  EXPECT_EQ(DecodePercent(""), "");
}

}  // namespace
}  // namespace hearth

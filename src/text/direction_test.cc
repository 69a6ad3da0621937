#include "text/direction.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

TEST(DirectionTest, OnlyCharactersThatTurnTheWritingAreWrittenOut) {
  EXPECT_EQ(WithDirectionShown("rtl\u202Etxt.exe"), "rtl[U+202E]txt.exe");
  EXPECT_EQ(WithDirectionShown("\u202A\u2066a\u2069"), "[U+202A][U+2066]a[U+2069]");
  EXPECT_TRUE(ChangesDirection("a\u2067b"));
  for (const char* plain :
       {"", "שלום.txt", "مرحبا", "a\u2026b", "\u2029x", "a\u206Ab", "\xE2\x80"}) {
    EXPECT_FALSE(ChangesDirection(plain)) << plain;
    EXPECT_EQ(WithDirectionShown(plain), plain);
  }
}

}  // namespace
}  // namespace hearth

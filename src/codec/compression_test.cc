#include "codec/compression.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth {
namespace {

std::string Sample() {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "line " + std::to_string(i * 7919 % 1000) + "\n";
  return text;
}

Code CodeOf(std::string_view bytes, uint64_t limit) {
  try {
    GzipDecompress(bytes, limit);
  } catch (const Error& error) {
    return error.code();
  }
  return Code::kInternal;
}

TEST(Gzip, RoundTripsAtEveryLevelAndForNothing) {
  for (int level = 1; level <= 9; ++level) {
    EXPECT_EQ(GzipDecompress(GzipCompress(Sample(), level), 1 << 20), Sample());
  }
  EXPECT_EQ(GzipDecompress(GzipCompress(""), 0), "");
  EXPECT_LT(GzipCompress(Sample(), 9).size(), Sample().size() / 2);
  EXPECT_THROW(GzipCompress("x", 0), Error);
}

TEST(Gzip, OutputDoesNotDependOnTheClock) {
  EXPECT_EQ(GzipCompress("same"), GzipCompress("same"));
  EXPECT_EQ(GzipCompress("same").substr(4, 4), std::string(4, '\0'));
}

TEST(Gzip, ReadsConcatenatedMembers) {
  EXPECT_EQ(GzipDecompress(GzipCompress("one ") + GzipCompress("two"), 100), "one two");
}

TEST(Gzip, StopsAtTheLimitOfABomb) {
  std::string bomb = GzipCompress(std::string(50 << 20, '\0'), 9);
  EXPECT_LT(bomb.size(), 100u << 10);
  EXPECT_EQ(CodeOf(bomb, 1 << 20), Code::kTooLarge);
  EXPECT_EQ(GzipDecompress(GzipCompress("12345"), 5), "12345");
  EXPECT_EQ(CodeOf(GzipCompress("123456"), 5), Code::kTooLarge);
}

TEST(Gzip, EveryTruncationIsAnError) {
  std::string whole = GzipCompress(Sample());
  for (size_t n = 0; n < whole.size(); ++n) {
    EXPECT_EQ(CodeOf(std::string_view(whole).substr(0, n), 1 << 20), Code::kInvalidArgument) << n;
  }
}

TEST(Gzip, DamagedContentAndTrailingBytesAreErrors) {
  std::string whole = GzipCompress(Sample());
  std::string damaged = whole;
  damaged[damaged.size() - 5] ^= 1;  // the checksum
  EXPECT_EQ(CodeOf(damaged, 1 << 20), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(whole + "trailing", 1 << 20), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf("not gzip at all", 1 << 20), Code::kInvalidArgument);
}

}  // namespace
}  // namespace hearth

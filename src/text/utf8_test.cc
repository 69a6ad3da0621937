#include "text/utf8.h"

#include <gtest/gtest.h>

#include "text/html.h"

namespace hearth {
namespace {

TEST(Utf8, EveryCodePointRoundTrips) {
  for (char32_t value = 0; value <= 0x10FFFF; ++value) {
    if (value >= 0xD800 && value <= 0xDFFF) continue;
    std::string text;
    AppendUtf8(value, &text);
    CodePoint point = DecodeUtf8(text);
    ASSERT_TRUE(point.valid) << static_cast<uint32_t>(value);
    ASSERT_EQ(static_cast<uint32_t>(point.value), static_cast<uint32_t>(value));
    ASSERT_EQ(point.length, text.size());
  }
}

TEST(Utf8, RejectsOverlongSurrogateAndBeyondTheEnd) {
  for (const char* bad :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\x80", "\xFF", "abcdefgh\xC3"}) {
    EXPECT_FALSE(IsValidUtf8(bad)) << bad;
  }
  EXPECT_TRUE(IsValidUtf8("ASCII and \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80 end of text"));
}

TEST(Utf8, LossyReplacesEachMaximalSubpartOnce) {
  EXPECT_EQ(Utf8Lossy("a\xF0\x9F\x98z"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(Utf8Lossy("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(Utf8Lossy("0123456789\xE2\x82"), "0123456789\xEF\xBF\xBD");
  EXPECT_EQ(CountCodePoints("a\xF0\x9F\x98z"), 3u);
}

TEST(Utf8, TruncationNeverCutsACodePoint) {
  std::string_view text = "h\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80!";
  EXPECT_EQ(CountCodePoints(text), 5u);
  EXPECT_EQ(TruncateUtf8(text, 3), "h\xC3\xA9\xE2\x82\xAC");
  EXPECT_EQ(TruncateUtf8(text, 99), text);
  const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (size_t n = 0; n < std::size(expected); ++n) {
    EXPECT_EQ(TruncateUtf8Bytes(text, n).size(), expected[n]) << n;
  }
  EXPECT_EQ(Utf8Offset(text, 4), 10u);
}

TEST(Html, EscapesWhatCouldOpenATagOrEndAnAttribute) {
  EXPECT_EQ(EscapeHtml("<a href=\"x\">'&'</a>"),
            "&lt;a href=&#34;x&#34;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(EscapeHtml("plain"), "plain");
}

TEST(Html, UrlEncodeKeepsPathsReadable) {
  EXPECT_EQ(UrlEncode("a b/c?d=\xC3\xA9"), "a%20b/c%3Fd%3D%C3%A9");
  EXPECT_EQ(UrlEncode("a/b", ""), "a%2Fb");
}

}  // namespace
}  // namespace hearth

#include "net/internal/conditional.h"

#include <gtest/gtest.h>

namespace hearth::net {
namespace {

using Ranges = std::vector<ByteRange>;

Headers With(std::initializer_list<Headers::Field> fields) {
  Headers headers;
  for (const auto& [name, value] : fields) headers.Add(name, value);
  return headers;
}

TEST(Range, ReadsTheForms) {
  EXPECT_EQ(ParseRange("bytes=0-0", 10).ranges, (Ranges{{0, 1}}));
  EXPECT_EQ(ParseRange("bytes=2-5", 10).ranges, (Ranges{{2, 4}}));
  EXPECT_EQ(ParseRange("Bytes = 2-", 10).ranges, (Ranges{{2, 8}}));
  EXPECT_EQ(ParseRange("bytes=-3", 10).ranges, (Ranges{{7, 3}}));
  EXPECT_EQ(ParseRange("bytes=-30", 10).ranges, (Ranges{{0, 10}}));
  EXPECT_EQ(ParseRange("bytes=5-99999999999", 10).ranges, (Ranges{{5, 5}}));
  EXPECT_EQ(ParseRange("bytes=0-18446744073709551615", 10).ranges, (Ranges{{0, 10}}));
  EXPECT_EQ(ParseRange("bytes=8-9, 0-1", 10).ranges, (Ranges{{8, 2}, {0, 2}}));
  EXPECT_EQ(ParseRange("bytes=0-1,20-30,,", 10).ranges, (Ranges{{0, 2}}));
}

TEST(Range, IgnoresWhatIsNotARange) {
  for (const char* bad :
       {"", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=5-2", "items=0-1",
        "bytes=0-1;2-3", "bytes=--1", "bytes=0-1,x", "bytes=+1-2", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(ParseRange(bad, 10).kind, RangeSet::Kind::kWhole) << bad;
  }
  EXPECT_EQ(ParseRange("bytes=0-0", 0).kind, RangeSet::Kind::kWhole);
}

TEST(Range, KnowsTheUnsatisfiable) {
  for (const char* out : {"bytes=10-", "bytes=10-11", "bytes=-0", "bytes=50-60,70-80"}) {
    EXPECT_EQ(ParseRange(out, 10).kind, RangeSet::Kind::kUnsatisfiable) << out;
  }
}

TEST(Range, MergesOverlapsAndBoundsTheCount) {
  EXPECT_EQ(ParseRange("bytes=5-8,0-6,2-3", 10).ranges, (Ranges{{0, 9}}));
  std::string many = "bytes=0-0";
  for (int i = 1; i < 64; ++i) many += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  EXPECT_EQ(ParseRange(many, 1000).ranges.size(), 64u);
  EXPECT_EQ(ParseRange(many + ",900-", 1000).kind, RangeSet::Kind::kWhole);
}

TEST(Conditions, MatchEntityTags) {
  Headers response = With({{"ETag", "\"a,b\""}});
  auto none_match = [&](const char* list) {
    return EvaluateConditions(With({{"If-None-Match", list}}), response);
  };
  EXPECT_EQ(none_match("\"a,b\""), Condition::kNotModified);
  EXPECT_EQ(none_match("W/\"a,b\""), Condition::kNotModified);
  EXPECT_EQ(none_match("\"x\", \"a,b\""), Condition::kNotModified);
  EXPECT_EQ(none_match("*"), Condition::kNotModified);
  EXPECT_EQ(none_match("\"a\""), Condition::kProceed);
  EXPECT_EQ(none_match("\"a,b"), Condition::kProceed);
  auto match = [&](const char* list) {
    return EvaluateConditions(With({{"If-Match", list}}), response);
  };
  EXPECT_EQ(match("\"a,b\""), Condition::kProceed);
  EXPECT_EQ(match("W/\"a,b\""), Condition::kPreconditionFailed);
  EXPECT_EQ(match("\"x\""), Condition::kPreconditionFailed);
  EXPECT_EQ(EvaluateConditions(With({{"If-None-Match", "\"x\""}, {"if-none-match", "\"a,b\""}}),
                               response),
            Condition::kNotModified);
}

TEST(Conditions, CompareDatesWhenThereIsNoTag) {
  Headers response = With({{"Last-Modified", "Fri, 31 Jan 2025 09:10:11 GMT"}});
  auto since = [&](const char* name, const char* date) {
    return EvaluateConditions(With({{name, date}}), response);
  };
  EXPECT_EQ(since("If-Modified-Since", "Fri, 31 Jan 2025 09:10:11 GMT"), Condition::kNotModified);
  EXPECT_EQ(since("If-Modified-Since", "Fri, 31 Jan 2025 09:10:10 GMT"), Condition::kProceed);
  EXPECT_EQ(since("If-Modified-Since", "yesterday"), Condition::kProceed);
  EXPECT_EQ(since("If-Unmodified-Since", "Fri, 31 Jan 2025 09:10:10 GMT"),
            Condition::kPreconditionFailed);
  EXPECT_EQ(since("If-Unmodified-Since", "Fri, 31 Jan 2025 09:10:11 GMT"), Condition::kProceed);
}

TEST(Conditions, IfRangeNeedsAStrongMatch) {
  Headers strong = With({{"ETag", "\"a\""}, {"Last-Modified", "Fri, 31 Jan 2025 09:10:11 GMT"}});
  EXPECT_TRUE(IfRangeHolds(With({}), strong));
  EXPECT_TRUE(IfRangeHolds(With({{"If-Range", "\"a\""}}), strong));
  EXPECT_FALSE(IfRangeHolds(With({{"If-Range", "\"b\""}}), strong));
  EXPECT_FALSE(IfRangeHolds(With({{"If-Range", "W/\"a\""}}), strong));
  EXPECT_TRUE(IfRangeHolds(With({{"If-Range", "Fri, 31 Jan 2025 09:10:11 GMT"}}), strong));
  EXPECT_FALSE(IfRangeHolds(With({{"If-Range", "Fri, 31 Jan 2025 09:10:12 GMT"}}), strong));
  EXPECT_FALSE(IfRangeHolds(With({{"If-Range", "W/\"a\""}}), With({{"ETag", "W/\"a\""}})));
}

}  // namespace
}  // namespace hearth::net

#include "codec/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearth {
namespace {

using ::testing::ElementsAre;

TEST(Csv, QuotesHoldDelimitersLinesAndQuotes) {
  CsvTable table = ParseCsv("a,\"b,c\",\"d\"\"e\"\r\n\"two\nlines\",,x\"y\n", ',', true);
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_THAT(table.rows[0], ElementsAre("a", "b,c", "d\"e"));
  EXPECT_THAT(table.rows[1], ElementsAre("two\nlines", "", "x\"y"));
  EXPECT_TRUE(table.all);
}

TEST(Csv, TheLastLineNeedsNoEndUnlessTheTextIsCut) {
  EXPECT_EQ(ParseCsv("a,b\nc,d", ',', true).rows.size(), 2u);
  CsvTable cut = ParseCsv("a,b\nc,d", ',', false);
  EXPECT_EQ(cut.rows.size(), 1u);
  EXPECT_FALSE(cut.all);
  EXPECT_EQ(ParseCsv("a,b\n\"never closed", ',', false).rows.size(), 1u);
}

TEST(Csv, DelimitersAreGuessed) {
  EXPECT_EQ(GuessDelimiter("a;b;c\n1,5;2,5;3,5\n"), ';');
  EXPECT_EQ(GuessDelimiter("a\tb\n1, 2\t3\n"), '\t');
  EXPECT_EQ(GuessDelimiter("\xEF\xBB\xBF"
                           "a|b\n1|2\n"),
            '|');
  EXPECT_EQ(GuessDelimiter("just text\nmore\n"), ',');
  EXPECT_EQ(GuessDelimiter(""), ',');
}

TEST(Csv, LimitsHoldAndAreSaid) {
  CsvLimits limits{.max_rows = 2, .max_columns = 2, .max_cell_bytes = 3};
  CsvTable table = ParseCsv("a,b,c\n1,2\n3,4\n", ',', true, limits);
  EXPECT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0].size(), 2u);
  EXPECT_EQ(table.widest_columns, 3u);
  EXPECT_FALSE(table.all);
  EXPECT_THAT(ParseCsv("é€x\n", ',', true, limits).rows[0], ElementsAre("é…"));
}

}  // namespace
}  // namespace hearth

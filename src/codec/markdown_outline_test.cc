#include "codec/markdown_outline.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "codec/markdown.h"

namespace hearth {
namespace {

using Kind = MarkdownBlock::Kind;

std::vector<MarkdownBlock> Of(std::string_view text, Kind kind) {
  std::vector<MarkdownBlock> wanted;
  for (MarkdownBlock& block : OutlineMarkdown(text)) {
    if (block.kind == kind) wanted.push_back(std::move(block));
  }
  return wanted;
}

TEST(MarkdownOutlineTest, HeadingsCarryTheirLineAndTheIdOfThePage) {
  std::string text =
      "# A *model* for `text`\n\nWords.\n\nUses\n----\n\n## Limits & [risks](x)\n\n## Uses\n\n"
      "## \xE4\xBD\xBF\xE7\x94\xA8\n";
  std::vector<MarkdownBlock> headings = Of(text, Kind::kHeading);
  ASSERT_EQ(headings.size(), 5u);
  EXPECT_EQ(headings[0].text, "A model for text");
  EXPECT_EQ(headings[0].level, 1);
  EXPECT_EQ(headings[1].line, 5u);
  EXPECT_EQ(headings[2].line, 8u);
  EXPECT_EQ(headings[2].links, std::vector<std::string>{"x"});
  EXPECT_EQ(headings[3].id, "user-content-uses-1");
  std::string page = RenderMarkdown(text);
  for (const MarkdownBlock& heading : headings) {
    ASSERT_NE(heading.id, "") << heading.text;
    EXPECT_NE(page.find("id=\"" + heading.id + "\""), std::string::npos) << heading.id;
  }
}

TEST(MarkdownOutlineTest, HeadingsOfRawHtmlCount) {
  std::string text = "<div align=\"center\">\n  <h1>Big <b>name</b></h1>\n</div>\n\n# Uses\n";
  std::vector<MarkdownBlock> headings = Of(text, Kind::kHeading);
  ASSERT_EQ(headings.size(), 2u);
  EXPECT_EQ(headings[0].line, 2u);
  EXPECT_EQ(headings[0].id, "user-content-big-name");
  EXPECT_EQ(headings[1].id, "user-content-uses");
}

TEST(MarkdownOutlineTest, CodeTablesAndListsAreBlocksOfTheirOwn) {
  std::string text =
      "- one `x`\n- two\n\n```python title\nprint(1)\n# not a heading\n```\n\n"
      "| a | b |\n|---|---|\n| 1 | [2](y) |\n";
  EXPECT_EQ(Of(text, Kind::kHeading).size(), 0u);
  std::vector<MarkdownBlock> code = Of(text, Kind::kCode);
  ASSERT_EQ(code.size(), 1u);
  EXPECT_EQ(code[0].language, "python");
  EXPECT_EQ(code[0].text, "print(1)\n# not a heading\n");
  EXPECT_EQ(code[0].line, 4u);
  std::vector<MarkdownBlock> rows = Of(text, Kind::kTable);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].text, "1\t2");
  EXPECT_EQ(rows[1].links, std::vector<std::string>{"y"});
  std::vector<MarkdownBlock> items = Of(text, Kind::kText);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].text, "one x");
}

TEST(MarkdownOutlineTest, LinesAreThoseOfTheTextAlsoBehindManyBlankOnes) {
  std::string text = "# a\n" + std::string(50, '\n') + "# b\n";
  std::vector<MarkdownBlock> headings = Of(text, Kind::kHeading);
  ASSERT_EQ(headings.size(), 2u);
  EXPECT_EQ(headings[1].line, 52u);
}

TEST(MarkdownOutlineTest, ALargeTextIsRefused) {
  EXPECT_THROW(OutlineMarkdown(std::string(101, 'x'), 100), Error);
}

}  // namespace
}  // namespace hearth

#include "hub/inspector/reading_order.h"

#include <gtest/gtest.h>

#include "hub/inspector/inspect_repo.h"
#include "hub/inspector/memory_view.h"

namespace hearth::inspector {
namespace {

ReadingOrder Of(const std::map<std::string, std::string>& files,
                const std::string& type = "model") {
  MemoryView view(type, "ada/m", files);
  return ReadRepo(view, {}).order;
}

TEST(ReadingOrderTest, SixStepsInOrderEachWithWhatItPrevents) {
  ReadingOrder order = Of({{"README.md", "# m\n\nShort.\n"}, {"config.json", "{}"}});
  std::vector<std::string> steps;
  for (const ReadingStep& step : order.steps) {
    steps.push_back(step.step);
    EXPECT_NE(step.prevents, "") << step.step;
  }
  EXPECT_EQ(steps, (std::vector<std::string>{"summary", "intended_use", "limitations", "licence",
                                             "files", "example"}));
  EXPECT_EQ(order.steps[0].state, Presence::kThin);
  EXPECT_EQ(order.steps[0].evidence[0].rule, "1 word");
  EXPECT_EQ(order.steps[1].state, Presence::kMissing);
  EXPECT_EQ(order.steps[4].where, "files");
}

TEST(ReadingOrderTest, StepsJumpToTheirHeading) {
  ReadingOrder order =
      Of({{"README.md", "---\nlicense: mit\n---\n# m\n\n## Limitations\n\nIt fails often.\n"}});
  EXPECT_EQ(order.steps[2].where, "card");
  EXPECT_EQ(order.steps[2].line, 6u);
  EXPECT_EQ(order.steps[2].anchor, "user-content-limitations");
  EXPECT_EQ(order.steps[3].state, Presence::kFound);
  EXPECT_EQ(order.steps[3].evidence[0].place, "line 2");
}

TEST(ReadingOrderTest, AnEmptyRepositoryIsMissingEverything) {
  ReadingOrder order = Of({});
  for (const ReadingStep& step : order.steps)
    EXPECT_EQ(step.state, Presence::kMissing) << step.step;
  ASSERT_EQ(order.note.size(), 4u);
  EXPECT_EQ(order.note[0].text, "empty shell");
  EXPECT_EQ(order.note[1].level, Level::kMissing);
  EXPECT_EQ(order.note[2].text, "ada");
  EXPECT_EQ(order.note[3].level, Level::kMissing);
}

TEST(ReadingOrderTest, TheNoteSaysWhatItIsAndWhereToReadOn) {
  ReadingOrder order = Of({{"README.md", "---\nsdk: gradio\n---\n# Demo\n\nIt draws cats.\n"},
                           {"app.py", "import gradio\n"}},
                          "space");
  EXPECT_EQ(order.note[0].text, "app (gradio)");
  EXPECT_EQ(order.note[0].level, Level::kProved);
  EXPECT_EQ(order.note[1].text, "It draws cats.");
  EXPECT_NE(order.note[3].text.find("the code of the app"), std::string::npos);
}

}  // namespace
}  // namespace hearth::inspector

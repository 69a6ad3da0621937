#include "cli/line_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace hearth::cli {
namespace {

using ::testing::ElementsAre;

class LineReaderTest : public ::testing::Test {
 protected:
  LineReaderTest() { EXPECT_EQ(::pipe(ends_), 0); }
  ~LineReaderTest() override {
    ::close(ends_[0]);
    Close();
  }
  void Put(std::string_view text) {
    ASSERT_EQ(::write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void Close() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  std::vector<std::string> Rest(LineReader* reader) {
    std::vector<std::string> lines;
    for (std::string_view line; reader->Next(&line);) lines.emplace_back(line);
    return lines;
  }

  int ends_[2] = {-1, -1};
};

TEST_F(LineReaderTest, GivesEachLineAndTheUnendedLastOne) {
  Put("a\n\nbc\nd");
  Close();
  LineReader reader(ends_[0], [] {});
  EXPECT_THAT(Rest(&reader), ElementsAre("a", "", "bc", "d"));
}

TEST_F(LineReaderTest, AnEndedLastLineIsNotFollowedByAnEmptyOne) {
  Put("a\n");
  Close();
  LineReader reader(ends_[0], [] {});
  EXPECT_THAT(Rest(&reader), ElementsAre("a"));
}

TEST_F(LineReaderTest, TellsBeforeItWaitsAndOnlyThen) {
  int told = 0;
  LineReader reader(ends_[0], [&] {
    // The rest of the line comes only now: whoever did not tell would wait for ever.
    ++told;
    Put("cond\nthird\n");
    Close();
  });
  Put("first\nse");
  EXPECT_THAT(Rest(&reader), ElementsAre("first", "second", "third"));
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace hearth::cli

#include "cli/terminal_text.h"

#include <gtest/gtest.h>

namespace hearth::cli {
namespace {

TEST(TerminalText, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(TerminalText("model.layers.0 \xC3\xA9 \xE2\x96\x81 \xF0\x9F\x98\x80\n\tb"),
            "model.layers.0 \xC3\xA9 \xE2\x96\x81 \xF0\x9F\x98\x80\n\tb");
  EXPECT_EQ(TerminalLine(""), "");
}

TEST(TerminalText, ShowsControlCharactersAsSymbols) {
  EXPECT_EQ(TerminalText("\033[31m\x7F\r"), "\xE2\x90\x9B[31m\xE2\x90\xA1\xE2\x90\x8D");
  EXPECT_EQ(TerminalText(std::string_view("\0", 1)), "\xE2\x90\x80");
}

TEST(TerminalText, TakesThePowerFromC1ControlsAndDirectionMarks) {
  EXPECT_EQ(TerminalText("\xC2\x9B"
                         "2J"),
            "\xEF\xBF\xBD"
            "2J");
  EXPECT_EQ(TerminalText("\xE2\x80\xAE"), "\xEF\xBF\xBD");  // right-to-left override
  EXPECT_EQ(TerminalText("\xE2\x81\xA6"), "\xEF\xBF\xBD");  // left-to-right isolate
  EXPECT_EQ(TerminalText("\xC2\xA0"), "\xC2\xA0");
}

TEST(TerminalText, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(TerminalText("a\x9B"
                         "b\xE2\x96"),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(TerminalText, ALineIsOneLine) {
  EXPECT_EQ(TerminalLine("a\nb\tc"),
            "a\xE2\x90\x8A"
            "b\xE2\x90\x89"
            "c");
}

}  // namespace
}  // namespace hearth::cli

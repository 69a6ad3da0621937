#include "text/unicode.h"

#include <gtest/gtest.h>

#include "text/utf8.h"

namespace hearth {
namespace {

using Stream = std::vector<NormalizedChar>;

Stream Of(NormalizationForm form, std::string_view text) {
  Stream stream;
  Normalize(form, text, &stream);
  return stream;
}

TEST(Normalization, TellsWhereEachCharacterCameFrom) {
  EXPECT_EQ(Of(NormalizationForm::kNfc, "e\u0301a\u0302\u0323"),
            (Stream{{0xE9, -1}, {0x1EAD, -2}}));
  EXPECT_EQ(Of(NormalizationForm::kNfd, "\u1EAD"), (Stream{{'a', 0}, {0x323, 1}, {0x302, 1}}));
  EXPECT_EQ(Of(NormalizationForm::kNfkc, "\uFB01"), (Stream{{'f', 0}, {'i', 1}}));
  EXPECT_EQ(Of(NormalizationForm::kNfc, "\u1112\u1161\u11ab"), (Stream{{0xD55C, -2}}));
}

TEST(Normalization, KnowsNothingYoungerThanItsTables) {
  EXPECT_EQ(Nfkc("\u32FF"), "\u32FF");
  EXPECT_EQ(Nfkc("\u32FE"), "\u30F2");
}

TEST(Normalization, LeavesTextThatIsNormalAlone) {
  EXPECT_TRUE(IsSurelyNormalized(NormalizationForm::kNfc, "na\u00efve \uD55C\uAD6D"));
  EXPECT_FALSE(IsSurelyNormalized(NormalizationForm::kNfd, "na\u00efve"));
  EXPECT_EQ(Nfc("na\u00efve"), "na\u00efve");
  EXPECT_EQ(Nfd("na\u00efve"), "nai\u0308ve");
}

TEST(Case, OneCharacterAtATime) {
  EXPECT_EQ(Lowercase("\u0130A\u03A3"), "i\u0307a\u03C3");
  EXPECT_EQ(ToLower(0x1C89).first, 0x1C8Au);
}

TEST(Graphemes, ControlCharactersTakeNoMarks) {
  for (char control : {'\0', '\1', '\t', '\n', '\r', '\x1F', '\x7F'}) {
    std::string text = std::string(1, control) + "\u0301";
    EXPECT_EQ(NextGraphemeLength(text), 1u) << int{control};
  }
}

TEST(Graphemes, JoinWhatAReaderSeesAsOne) {
  std::string text = "e\u0301\r\nx\u1112\u1161\u11ab\u0915\u094d\u0937";
  std::vector<size_t> lengths;
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(lengths.back())) {
    lengths.push_back(NextGraphemeLength(rest));
  }
  EXPECT_EQ(lengths, (std::vector<size_t>{3, 2, 1, 9, 9}));
}

}  // namespace
}  // namespace hearth

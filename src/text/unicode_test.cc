#include "text/unicode.h"

#include <gtest/gtest.h>

#include "text/unicode_blocks.h"
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

// All but the surrogates, for questions about every character.
template <typename Visit>
void ForEachCharacter(Visit&& visit) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c == 0xD800) c = 0xE000;
    visit(c);
  }
}

TEST(Graphemes, WhatJoinsAnythingIsKnownByItself) {
  ForEachCharacter([](char32_t c) {
    std::string behind = "a", before;
    AppendUtf8(c, &behind);
    AppendUtf8(c, &before);
    before += 'a';
    EXPECT_EQ(JoinsClusterBefore(c), NextGraphemeLength(behind) > 1) << std::hex << uint32_t{c};
    EXPECT_EQ(JoinsClusterAfter(c), NextGraphemeLength(before) == before.size())
        << std::hex << uint32_t{c};
  });
}

TEST(Properties, OrdinaryCharactersAreLeftAlone) {
  size_t ordinary = 0;
  ForEachCharacter([&](char32_t c) {
    if (!IsOrdinary(c)) return;
    ++ordinary;
    std::u32string decomposed;
    Decompose(c, false, &decomposed);
    EXPECT_EQ(decomposed, std::u32string(1, c));
    EXPECT_EQ(ToLower(c).first, c);
    EXPECT_EQ(ToLower(c).second, 0u);
    EXPECT_EQ(CombiningClass(c), 0);
    EXPECT_FALSE(IsWhitespace(c) || IsPunctuation(c) || IsBertControl(c) || IsNonspacingMark(c));
  });
  EXPECT_GT(ordinary, 900'000u);
}

TEST(Properties, UnassignedBlocksHoldNothing) {
  size_t unassigned = 0;
  for (char32_t first = 0; first <= 0x10FFFF; first += kUnicodeBlock) {
    if (!IsUnassignedBlock(first)) continue;
    ++unassigned;
    for (char32_t c = first; c < first + kUnicodeBlock; ++c) {
      EXPECT_TRUE(IsOrdinary(c) && !IsCrateWord(c) && !IsNumeric(c) && !JoinsClusterBefore(c) &&
                  !JoinsClusterAfter(c))
          << std::hex << uint32_t{c};
    }
  }
  EXPECT_GT(unassigned, 0u);
}

}  // namespace
}  // namespace hearth

#include "tokenizers/normalized_string.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "text/unicode.h"
#include "tokenizers/internal/edits.h"
#include "tokenizers/internal/normal_form.h"

namespace hearth::tokenizers {
namespace {

class NormalizedStringTest : public testing::Test {
 protected:
  NormalizedString Make(std::string_view text) { return NormalizedString(text, &arena_); }

  static std::vector<Alignment> Alignments(const NormalizedString& text) {
    std::vector<Alignment> alignments;
    for (size_t i = 0; i < text.text().size(); ++i) alignments.push_back(text.AlignmentAt(i));
    return alignments;
  }

  internal::Arena arena_;
};

TEST_F(NormalizedStringTest, UnchangedTextStoresNoAlignment) {
  NormalizedString text = Make("é!");
  EXPECT_TRUE(text.aligned());
  EXPECT_EQ(Alignments(text), (std::vector<Alignment>{{0, 2}, {0, 2}, {2, 3}}));
}

TEST_F(NormalizedStringTest, DecompositionAlignsMarksWithTheirCharacter) {
  NormalizedString text = Make("éa");
  internal::ApplyForm(NormalizationForm::kNfd, &text);
  EXPECT_EQ(text.text(), "e\u0301a");
  EXPECT_EQ(Alignments(text), (std::vector<Alignment>{{0, 2}, {0, 2}, {0, 2}, {2, 3}}));
}

TEST_F(NormalizedStringTest, RemovedCharactersLeaveAGap) {
  NormalizedString text = Make("xaxbx");
  internal::Filter(&text, [](char32_t c) { return c != 'x'; });
  EXPECT_EQ(text.text(), "ab");
  EXPECT_EQ(Alignments(text), (std::vector<Alignment>{{1, 2}, {3, 4}}));
  EXPECT_EQ(text.OriginalOf({0, 2}), (Offsets{1, 4}));
}

TEST_F(NormalizedStringTest, EverythingCanBeRemoved) {
  NormalizedString text = Make("xxx");
  internal::Filter(&text, [](char32_t) { return false; });
  EXPECT_TRUE(text.empty());
}

TEST_F(NormalizedStringTest, CharactersOfEqualLengthStayAligned) {
  NormalizedString text = Make("HÉllo");
  internal::ApplyLowercase(&text);
  EXPECT_EQ(text.text(), "héllo");
  EXPECT_TRUE(text.aligned());
}

TEST_F(NormalizedStringTest, LowercaseThatGrowsIsAligned) {
  NormalizedString text = Make("aİb");
  internal::ApplyLowercase(&text);
  EXPECT_EQ(text.text(), "ai\u0307b");
  EXPECT_EQ(Alignments(text), (std::vector<Alignment>{{0, 1}, {1, 3}, {1, 3}, {1, 3}, {3, 4}}));
}

TEST_F(NormalizedStringTest, PrependedTextStandsForTheFirstCharacter) {
  NormalizedString text = Make("ab");
  internal::Prepend(&text, "▁");
  EXPECT_EQ(text.text(), "▁ab");
  EXPECT_EQ(Alignments(text), (std::vector<Alignment>{{0, 1}, {0, 1}, {0, 1}, {0, 1}, {1, 2}}));
}

TEST_F(NormalizedStringTest, NothingIsPrependedToAnEmptyText) {
  NormalizedString text = Make("");
  internal::Prepend(&text, "▁");
  EXPECT_EQ(text.text(), "");
}

TEST_F(NormalizedStringTest, ReplacementStandsForTheEndOfItsMatch) {
  NormalizedString text = Make("a  b");
  internal::Replacer replacer(&text, "__");
  replacer.Match(1, 3);
  replacer.Finish();
  EXPECT_EQ(text.text(), "a__b");
  EXPECT_EQ(Alignments(text), (std::vector<Alignment>{{0, 1}, {2, 3}, {2, 3}, {3, 4}}));
}

TEST_F(NormalizedStringTest, SliceKnowsItsPlaceInTheOriginal) {
  NormalizedString text = Make("xéx");
  internal::ApplyForm(NormalizationForm::kNfd, &text);
  NormalizedString slice = text.Slice(1, 4);
  EXPECT_EQ(slice.text(), "e\u0301");
  EXPECT_EQ(slice.original(), "é");
  EXPECT_EQ(slice.original_offsets(), (Offsets{1, 3}));
  EXPECT_EQ(slice.OriginalOf({0, 1}), (Offsets{1, 3}));
}

TEST_F(NormalizedStringTest, OffsetsOutsideOfThePieceAreGivenBack) {
  NormalizedString slice = Make("abcdef").Slice(2, 4);
  EXPECT_EQ(slice.OriginalOf({1, 2}), (Offsets{3, 4}));
  EXPECT_EQ(slice.OriginalOf({1, 1}), (Offsets{3, 3}));
  EXPECT_EQ(slice.OriginalOf({0, 9}), (Offsets{0, 9}));
}

TEST_F(NormalizedStringTest, TextsGrowBeyondTheirFirstRoom) {
  std::string long_text(1000, 'a');
  NormalizedString text = Make(long_text);
  internal::Replacer replacer(&text, "0123456789");
  for (size_t i = 0; i < long_text.size(); ++i) replacer.Match(i, i + 1);
  replacer.Finish();
  EXPECT_EQ(text.text().size(), 10'000u);
  EXPECT_EQ(text.OriginalOf({9'990, 10'000}), (Offsets{999, 1000}));
}

TEST_F(NormalizedStringTest, TakingMoreThanThereIsIsRefused) {
  NormalizedString text = Make("a");
  Rewriter rewriter(&text);
  rewriter.Put('b', Rewriter::kReplace);
  EXPECT_THROW(rewriter.Put('c', Rewriter::kReplace), Error);
}

}  // namespace
}  // namespace hearth::tokenizers

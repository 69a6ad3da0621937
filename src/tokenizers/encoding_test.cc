#include "tokenizers/encoding.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "tokenizers/truncation.h"

namespace hearth::tokenizers {
namespace {

// Tokens 0, 1, ... of which each is a word and three bytes long.
Encoding Numbers(size_t size) {
  Encoding encoding;
  for (uint32_t i = 0; i < size; ++i) {
    encoding.ids.push_back(i);
    encoding.tokens.push_back(std::to_string(i));
    encoding.word_ids.push_back(i);
    encoding.offsets.push_back({4 * i, 4 * i + 3});
  }
  encoding.type_ids.resize(size);
  encoding.special_tokens_mask.resize(size);
  encoding.attention_mask.resize(size, 1);
  return encoding;
}

std::vector<std::vector<uint32_t>> Pieces(const Encoding& encoding) {
  std::vector<std::vector<uint32_t>> pieces{encoding.ids};
  for (const Encoding& piece : encoding.overflowing) pieces.push_back(piece.ids);
  return pieces;
}

using Ids = std::vector<std::vector<uint32_t>>;

TEST(EncodingTest, TruncationKeepsTheStartAndOverflowsTheRest) {
  Encoding encoding = Numbers(7);
  encoding.Truncate(3, 1, Side::kRight);
  EXPECT_EQ(Pieces(encoding), (Ids{{0, 1, 2}, {2, 3, 4}, {4, 5, 6}}));
}

TEST(EncodingTest, TruncationOnTheLeftKeepsTheEnd) {
  Encoding encoding = Numbers(7);
  encoding.Truncate(3, 0, Side::kLeft);
  EXPECT_EQ(Pieces(encoding), (Ids{{4, 5, 6}, {1, 2, 3}, {0}}));
}

TEST(EncodingTest, TruncationToNothingOverflowsAsOnePiece) {
  Encoding encoding = Numbers(2);
  encoding.Truncate(0, 0, Side::kRight);
  EXPECT_EQ(Pieces(encoding), (Ids{{}, {0, 1}}));
}

TEST(EncodingTest, AStrideThatNeverAdvancesIsRefused) {
  Encoding encoding = Numbers(5);
  EXPECT_THROW(encoding.Truncate(2, 2, Side::kRight), Error);
}

TEST(EncodingTest, PaddingOnTheLeftMovesTheSequence) {
  Encoding encoding = Numbers(2);
  encoding.SetSequence(0);
  encoding.Pad({.length = 4, .id = 9, .type_id = 1, .token = "[PAD]", .side = Side::kLeft});
  EXPECT_EQ(encoding.ids, (std::vector<uint32_t>{9, 9, 0, 1}));
  EXPECT_EQ(encoding.attention_mask, (std::vector<uint8_t>{0, 0, 1, 1}));
  EXPECT_EQ(encoding.special_tokens_mask, (std::vector<uint8_t>{1, 1, 0, 0}));
  EXPECT_EQ(encoding.tokens[0], "[PAD]");
  EXPECT_EQ(encoding.SequenceIds(), (std::vector<std::optional<size_t>>{{}, {}, 0, 0}));
}

TEST(EncodingTest, PaddingReachesOverflowingPieces) {
  Encoding encoding = Numbers(5);
  encoding.Truncate(3, 0, Side::kRight);
  encoding.Pad({.length = 3, .id = 9, .token = "p"});
  EXPECT_EQ(Pieces(encoding), (Ids{{0, 1, 2}, {3, 4, 9}}));
}

TEST(EncodingTest, AppendingCombinesOverflowingPiecesEachWithEach) {
  Encoding first = Numbers(2);
  first.Truncate(1, 0, Side::kRight);
  Encoding second = Numbers(4);
  second.Truncate(2, 0, Side::kRight);
  first.Append(second);
  EXPECT_EQ(Pieces(first), (Ids{{0, 0, 1}, {1, 0, 1}, {1, 2, 3}, {0, 2, 3}}));
}

TEST(EncodingTest, LooksUpTokensWordsAndPositions) {
  Encoding encoding = Numbers(3);
  encoding.word_ids = {0, 1, 1};
  encoding.SetSequence(0);
  EXPECT_EQ(encoding.WordToTokens(1, 0), (Offsets{1, 3}));
  EXPECT_EQ(encoding.WordToOffsets(1, 0), (Offsets{4, 11}));
  EXPECT_EQ(encoding.WordToTokens(7, 0), std::nullopt);
  EXPECT_EQ(encoding.PositionToToken(5, 0), size_t{1});
  EXPECT_EQ(encoding.PositionToToken(3, 0), std::nullopt);
  EXPECT_EQ(encoding.PositionToWord(9, 0), 1u);
  EXPECT_EQ(encoding.TokenToSequence(2), size_t{0});
}

TEST(EncodingTest, ByteOffsetsBecomeCodePoints) {
  std::vector<Offsets> offsets = {{0, 2}, {2, 3}, {3, 7}, {1, 4}, {7, 7}};
  CharacterOffsets("éa😀", &offsets);
  EXPECT_EQ(offsets, (std::vector<Offsets>{{0, 1}, {1, 2}, {2, 3}, {0, 2}, {7, 7}}));
}

TEST(EncodingTest, LongTextsAreConvertedToo) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "é";
  std::vector<Offsets> offsets = {{0, 2000}, {1000, 1002}, {1998, 2000}};
  CharacterOffsets(text, &offsets);
  EXPECT_EQ(offsets, (std::vector<Offsets>{{0, 1000}, {500, 501}, {999, 1000}}));
}

TEST(TruncationTest, LongestFirstTakesFromTheLongerSequence) {
  std::vector<Encoding> pair = {Numbers(2), Numbers(9)};
  TruncateSequences({.max_length = 6}, pair);
  EXPECT_EQ(pair[0].size(), 2u);
  EXPECT_EQ(pair[1].size(), 4u);
}

TEST(TruncationTest, TwoLongSequencesShareEqually) {
  std::vector<Encoding> pair = {Numbers(9), Numbers(8)};
  TruncateSequences({.max_length = 5}, pair);
  EXPECT_EQ(pair[0].size(), 3u);
  EXPECT_EQ(pair[1].size(), 2u);
}

TEST(TruncationTest, OnlyFirstFailsWhenTheSecondIsTooLong) {
  std::vector<Encoding> pair = {Numbers(2), Numbers(9)};
  Truncation truncation{.max_length = 5, .strategy = TruncationStrategy::kOnlyFirst};
  EXPECT_THROW(TruncateSequences(truncation, pair), Error);
}

TEST(PaddingTest, TheBatchIsFilledToItsLongest) {
  std::vector<Encoding> batch = {Numbers(1), Numbers(5)};
  PadEncodings({.multiple_of = 4}, batch);
  EXPECT_EQ(batch[0].size(), 8u);
  EXPECT_EQ(batch[1].size(), 8u);
}

TEST(PaddingTest, AnAbsurdLengthIsRefused) {
  std::vector<Encoding> batch = {Numbers(1)};
  EXPECT_THROW(PadEncodings({.fixed_length = size_t{1} << 40}, batch), Error);
}

}  // namespace
}  // namespace hearth::tokenizers

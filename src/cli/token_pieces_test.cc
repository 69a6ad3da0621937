#include "cli/token_pieces.h"

#include <gtest/gtest.h>

namespace hearth::cli {
namespace {

std::string Shown(TokenPieces* pieces, std::string_view token, size_t begin, size_t end) {
  TokenPieces::Piece piece = pieces->Next(token, {begin, end});
  return std::string(piece.before) + piece.marker + std::string(piece.text);
}

TEST(TokenPieces, ACharacterOfSeveralByteTokensIsShownOnce) {
  TokenPieces pieces("日本x");
  EXPECT_EQ(Shown(&pieces, "æĹ", 0, 3), "日");
  EXPECT_EQ(Shown(&pieces, "¥", 0, 3), "<0xA5>");
  EXPECT_EQ(Shown(&pieces, "æľ¬", 3, 6), "本");
  EXPECT_EQ(Shown(&pieces, "x", 6, 7), "x");
}

TEST(TokenPieces, ATokenMayEndOneCharacterAndBeginTheNext) {
  TokenPieces pieces("日本");
  EXPECT_EQ(Shown(&pieces, "æĹ", 0, 3), "日");
  EXPECT_EQ(Shown(&pieces, "¥æľ", 0, 6), "<0xA5>本");
  EXPECT_EQ(Shown(&pieces, "¬", 3, 6), "<0xAC>");
}

TEST(TokenPieces, FallbackBytesAndPartsOfANormalizedCharacterKeepTheirSpelling) {
  TokenPieces bytes("é");
  EXPECT_EQ(Shown(&bytes, "<0xC3>", 0, 2), "é");
  EXPECT_EQ(Shown(&bytes, "<0xA9>", 0, 2), "<0xA9>");
  TokenPieces half("½");
  EXPECT_EQ(Shown(&half, "1", 0, 2), "½");
  EXPECT_EQ(Shown(&half, "##⁄", 0, 2), "##⁄");
}

TEST(TokenPieces, BlanksThatNoTokenCoversComeBeforeTheNext) {
  TokenPieces pieces("a  b");
  EXPECT_EQ(Shown(&pieces, "a", 0, 1), "a");
  EXPECT_EQ(Shown(&pieces, "Ġ", 1, 1), "Ġ");
  EXPECT_EQ(Shown(&pieces, "Ġb", 3, 4), "  b");
}

}  // namespace
}  // namespace hearth::cli

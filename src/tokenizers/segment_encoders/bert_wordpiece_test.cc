#include <gtest/gtest.h>

#include "text/utf8.h"
#include "tokenizers/segment_encoders/byte_bpe_testing.h"
#include "tokenizers/segment_encoders/segment_encoder_testing.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {
namespace {

void ExpectPlainIds(const Tokenizer& tokenizer, const std::string& text) {
  ASSERT_TRUE(PathsAgree(tokenizer, text)) << Json(text).Dump();
}

TEST(BertWordpiece, EverySwitchGivesTheIdsOfThePlainPath) {
  for (int switches = 0; switches < 24; ++switches) {
    Json strip = switches / 8 == 0 ? Json() : Json(switches / 8 == 1);
    Tokenizer tokenizer = Tokenizer::Build(
        SmallWordPiece((switches & 1) != 0, (switches & 2) != 0, strip, (switches & 4) != 0));
    ASSERT_TRUE(tokenizer.has_fast_path());
    for (uint64_t seed = 0; seed < 300; ++seed) {
      ExpectPlainIds(tokenizer, HardText(seed, seed % 10 == 0 ? 200 : 20));
    }
  }
}

TEST(BertWordpiece, EveryCodePointAloneAndInAWordIsEqual) {
  Tokenizer tokenizer = Tokenizer::Build(SmallWordPiece(true, true, Json(), true));
  std::string alone, inside;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c == 0xD800) c = 0xE000;
    AppendUtf8(c, &alone);
    alone.push_back(' ');
    inside.push_back('x');
    AppendUtf8(c, &inside);
    if (c % 61 != 60) continue;
    ExpectPlainIds(tokenizer, alone);
    ExpectPlainIds(tokenizer, inside);
    alone.clear();
    inside.clear();
  }
}

TEST(BertWordpiece, MarksThatStayAreOrdered) {
  Tokenizer tokenizer = Tokenizer::Build(SmallWordPiece(true, true, true, true));
  // U+302E (class 224) and U+1D165 (216) are no nonspacing marks, so they are kept and reordered.
  ExpectPlainIds(tokenizer, "a\xE3\x80\xAE\xF0\x9D\x85\xA5z");
  ExpectPlainIds(tokenizer, "a\xE3\x80\xAE\xCC\x81\xF0\x9D\x85\xA5\xE2\x80\x8Bz");
}

TEST(BertWordpiece, WordsAroundTheLimitOfCharactersAreEqual) {
  Tokenizer tokenizer = Tokenizer::Build(SmallWordPiece(true, true, Json(), true));
  const uint32_t unknown = *tokenizer.FindId("[UNK]");
  EXPECT_EQ(tokenizer.EncodeIds(std::string(101, 'x')), std::vector<uint32_t>{unknown});
  EXPECT_EQ(tokenizer.EncodeIds(std::string(100, 'x')).size(), 100u);
  for (size_t size = 1; size < 130; ++size) {
    std::string accented;
    for (size_t i = 0; i < size; ++i) accented += "\xC3\xA9";
    for (std::string_view tail : {"", " ", "!", "\xE4\xB8\xAD"}) {
      ExpectPlainIds(tokenizer, std::string(size, 'x') + std::string(tail));
      ExpectPlainIds(tokenizer, accented + std::string(tail));
    }
  }
}

TEST(BertWordpiece, MoreDistinctWordsThanTheCacheHoldsStayRight) {
  Tokenizer tokenizer = Tokenizer::Build(SmallWordPiece(true, true, Json(), true));
  std::string text;
  for (int i = 0; i < 200000; ++i) {
    text += "x" + std::to_string(i) + (i % 7 == 0 ? "\xD0\xBC\xD0\xB8thethethethethe " : " ");
  }
  std::vector<uint32_t> wanted = tokenizer.Encode(text, {.stage_by_stage = true}).ids;
  EXPECT_EQ(tokenizer.EncodeIds(text), wanted);
  EXPECT_EQ(tokenizer.EncodeIds(text), wanted);
}

TEST(BertWordpiece, AVocabularyThatIsNotCertainIsLeftToThePlainPath) {
  Json json = SmallWordPiece(true, true, Json(), true);
  json.Find("model")->Find("vocab")->Erase("[UNK]");
  EXPECT_FALSE(Tokenizer::Build(json).has_fast_path());
  json = SmallWordPiece(true, true, Json(), true);
  json.Set("pre_tokenizer", StageOf("WhitespaceSplit"));
  EXPECT_FALSE(Tokenizer::Build(json).has_fast_path());
}

TEST(BertWordpiece, APrefixThatIsEmptyOrMissingIsEqual) {
  for (const char* prefix : {"", "@@", "x"}) {
    Json json = SmallWordPiece(true, true, Json(), true);
    json.Find("model")->Set("continuing_subword_prefix", prefix);
    Tokenizer tokenizer = Tokenizer::Build(json);
    ASSERT_TRUE(tokenizer.has_fast_path());
    for (uint64_t seed = 0; seed < 300; ++seed) ExpectPlainIds(tokenizer, HardText(seed, 20));
  }
}

}  // namespace
}  // namespace hearth::tokenizers

#include <gtest/gtest.h>

#include "tokenizers/segment_encoders/byte_bpe_config.h"
#include "tokenizers/segment_encoders/byte_bpe_kernel.h"
#include "tokenizers/segment_encoders/byte_bpe_testing.h"
#include "tokenizers/segment_encoders/segment_encoder_testing.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {
namespace {

std::vector<uint32_t> IdsOf(const SegmentEncoder& encoder, std::string_view text,
                            SegmentEncoder::Scratch& scratch) {
  std::vector<uint32_t> ids;
  encoder.Encode(text, SegmentPosition::kStartOfText, scratch, &ids);
  return ids;
}

std::vector<uint32_t> IdsOf(const SegmentEncoder& encoder, std::string_view text) {
  auto scratch = encoder.MakeScratch();
  return IdsOf(encoder, text, *scratch);
}

class ByteBpeFamilyTest : public testing::TestWithParam<ByteBpeFamily> {};

TEST_P(ByteBpeFamilyTest, EveryTierGivesTheIdsOfThePlainPathOnHardTexts) {
  Json json = SmallByteBpe(GetParam());
  Tokenizer plain = Tokenizer::Build(json);
  for (ByteBpeEncodeFunction kernel : ByteBpeKernels()) {
    auto encoder = MakeByteBpeEncoder(json, kernel);
    ASSERT_NE(encoder, nullptr);
    auto scratch = encoder->MakeScratch();
    for (uint64_t seed = 0; seed < 1500; ++seed) {
      std::string text = HardText(seed, seed % 10 == 0 ? 300 : 24);
      ASSERT_EQ(IdsOf(*encoder, text, *scratch), plain.Encode(text, {.stage_by_stage = true}).ids)
          << "seed " << seed << ": " << Json(text).Dump();
    }
  }
}

TEST_P(ByteBpeFamilyTest, TextsOfEveryLengthAroundABlockAreEqual) {
  Json json = SmallByteBpe(GetParam());
  Tokenizer plain = Tokenizer::Build(json);
  for (ByteBpeEncodeFunction kernel : ByteBpeKernels()) {
    auto encoder = MakeByteBpeEncoder(json, kernel);
    auto scratch = encoder->MakeScratch();
    for (std::string_view end : {"a", " ", "\n", "1", "'", "'s", "!", "\xC3\xA9", "\xE3\x80\x80"}) {
      for (std::string_view fill : {"x", " ", "\n", "7", "!", "\xD0\xBC", "x "}) {
        for (size_t size = 50; size < 140; ++size) {
          std::string text;
          while (text.size() < size) text += fill;
          text += end;
          text += "z";
          ASSERT_EQ(IdsOf(*encoder, text, *scratch),
                    plain.Encode(text, {.stage_by_stage = true}).ids)
              << size << " of " << fill << ", then " << end;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, ByteBpeFamilyTest, testing::ValuesIn(ByteBpeFamilies()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(ByteBpe, PiecesOfAnyLengthMergeAlike) {
  Json json = SmallByteBpe(ByteBpeFamilies()[0]);
  Tokenizer plain = Tokenizer::Build(json);
  for (ByteBpeEncodeFunction kernel : ByteBpeKernels()) {
    auto encoder = MakeByteBpeEncoder(json, kernel);
    for (size_t size : {1, 15, 16, 17, 63, 64, 65, 66, 128, 511, 512, 513, 5000}) {
      std::string text;
      while (text.size() < size) text += "thequickfoxthereotherthe";
      text.resize(size);
      ASSERT_EQ(IdsOf(*encoder, text), plain.Encode(text, {.stage_by_stage = true}).ids) << size;
      ASSERT_EQ(IdsOf(*encoder, std::string(size, '0')),
                plain.Encode(std::string(size, '0'), {.stage_by_stage = true}).ids);
    }
  }
}

TEST(ByteBpe, CachesThatOverflowForgetAndStayRight) {
  Json json = SmallByteBpe(ByteBpeFamilies()[0]);
  for (ByteBpeEncodeFunction kernel : ByteBpeKernels()) {
    auto encoder = MakeByteBpeEncoder(json, kernel);
    auto scratch = encoder->MakeScratch();
    // More distinct words, short and long, than the first table sizes hold.
    std::string text;
    for (int i = 0; i < 60000; ++i) {
      std::string word;
      for (int x = i; x > 0; x /= 26) word.push_back(static_cast<char>('a' + x % 26));
      text += " " + word;
      if (i % 3 == 0) text += " " + word + "interoperability" + word;
    }
    std::vector<uint32_t> first = IdsOf(*encoder, text, *scratch);
    EXPECT_EQ(IdsOf(*encoder, text, *scratch), first);
    EXPECT_EQ(IdsOf(*encoder, text), first);
  }
}

TEST_P(ByteBpeFamilyTest, InvalidUtf8NeverReadsOutside) {
  Json json = SmallByteBpe(GetParam());
  for (ByteBpeEncodeFunction kernel : ByteBpeKernels()) {
    auto encoder = MakeByteBpeEncoder(json, kernel);
    for (uint64_t seed = 0; seed < 200; ++seed) {
      std::string text = HardText(seed, 60);
      for (size_t i = seed % 7; i < text.size(); i += 7)
        text[i] = static_cast<char>(0x80 + i % 128);
      auto exact = std::make_unique<char[]>(text.size());  // a sanitizer sees one byte too far
      std::copy(text.begin(), text.end(), exact.get());
      IdsOf(*encoder, {exact.get(), text.size()});
    }
  }
}

TEST(ByteBpe, TakesNoConfigurationThatItDoesNotKnow) {
  Json known = SmallByteBpe(ByteBpeFamilies()[0]);
  ASSERT_TRUE(RecogniseByteBpe(known).has_value());
  auto changed = [&](std::string_view stage, std::string key, Json value) {
    Json json = known;
    Json* at = json.Find(stage);
    if (!at->is_object()) *at = Json::Obj();
    at->Set(std::move(key), std::move(value));
    return RecogniseByteBpe(json).has_value();
  };
  EXPECT_FALSE(changed("pre_tokenizer", "add_prefix_space", true));
  EXPECT_FALSE(changed("pre_tokenizer", "use_regex", false));
  EXPECT_FALSE(changed("pre_tokenizer", "type", "Whitespace"));
  EXPECT_FALSE(changed("model", "dropout", 0.1));
  EXPECT_FALSE(changed("model", "continuing_subword_prefix", "##"));
  EXPECT_FALSE(changed("model", "end_of_word_suffix", "</w>"));
  EXPECT_FALSE(changed("model", "type", "Unigram"));
  EXPECT_FALSE(changed("normalizer", "type", "NFKC"));
}

TEST(ByteBpe, LeavesVocabulariesThatItCannotHoldToThePlainPath) {
  Json json = SmallByteBpe(ByteBpeFamilies()[0]);
  Json without_letter = json;
  without_letter.Find("model")->Find("vocab")->Erase("q");
  EXPECT_EQ(MakeSegmentEncoder(without_letter), nullptr);
  Json merges_unknown = json;
  merges_unknown.Find("model")->Find("merges")->Push(Json::Arr({"zz", "zz"}));
  EXPECT_EQ(MakeSegmentEncoder(merges_unknown), nullptr);
  Json huge_id = json;
  huge_id.Find("model")->Find("vocab")->Set("zzz", int64_t{1} << 40);
  EXPECT_EQ(MakeSegmentEncoder(huge_id), nullptr);
}

TEST(ByteBpe, BytesOfRareCharactersThatTheVocabularyLacksVanish) {
  Json json = SmallByteBpe(ByteBpeFamilies()[0]);
  json.Find("model")->Find("vocab")->Erase("\xC3\xB1");  // the byte 0xF1 in the alphabet
  Tokenizer plain = Tokenizer::Build(json);
  for (ByteBpeEncodeFunction kernel : ByteBpeKernels()) {
    auto encoder = MakeByteBpeEncoder(json, kernel);
    ASSERT_NE(encoder, nullptr);
    for (std::string_view text : {"a\xF1\x80\x80\x80 the", "\xF1\x80\x80\x80", "the"}) {
      EXPECT_EQ(IdsOf(*encoder, text), plain.Encode(text, {.stage_by_stage = true}).ids);
    }
  }
}

TEST(ByteBpe, OffsetsAndWordsAreThoseOfThePlainPath) {
  for (const ByteBpeFamily& family : ByteBpeFamilies()) {
    Json json = SmallByteBpe(family);
    json.Set("post_processor", Json::Obj({{"type", "ByteLevel"},
                                          {"add_prefix_space", true},
                                          {"trim_offsets", true},
                                          {"use_regex", true}}));
    Json token = Json::Obj({{"id", 0},
                            {"content", "<x>"},
                            {"single_word", false},
                            {"lstrip", true},
                            {"rstrip", false},
                            {"normalized", false},
                            {"special", true}});
    json.Set("added_tokens", Json::Arr({token}));
    Tokenizer tokenizer = Tokenizer::Build(json);
    ASSERT_TRUE(tokenizer.has_fast_path());
    for (uint64_t seed = 0; seed < 400; ++seed) {
      std::string text = HardText(seed, seed % 10 == 0 ? 200 : 20);
      if (seed % 3 == 0) text = " <x>" + text + "  <x><x>" + text + " <x> ";
      ASSERT_TRUE(PathsAgree(tokenizer, text)) << family.name << Json(text).Dump();
    }
    for (std::string_view text : {"", " ", "<x>", "é", "🙂", " <x>", "\n", "a\0b"}) {
      EXPECT_TRUE(PathsAgree(tokenizer, text)) << family.name << text;
    }
  }
}

}  // namespace
}  // namespace hearth::tokenizers

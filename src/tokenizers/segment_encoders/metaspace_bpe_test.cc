#include <gtest/gtest.h>

#include "tokenizers/segment_encoders/byte_bpe_testing.h"
#include "tokenizers/segment_encoders/metaspace_bpe_kernel.h"
#include "tokenizers/segment_encoders/segment_encoder_testing.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {
namespace {

Json Replace() {
  Json step = StageOf("Replace");
  step.Set("pattern", Json::Obj({{"String", " "}})).Set("content", Json(kUnigramMark));
  return step;
}

Json Prepend() {
  Json step = StageOf("Prepend");
  step.Set("prepend", Json(kUnigramMark));
  return step;
}

Json Both() {
  Json sequence = StageOf("Sequence");
  sequence.Set("normalizers", Json::Arr({Prepend(), Replace()}));
  return sequence;
}

Json Metaspace(const char* scheme, bool split) {
  Json stage = StageOf("Metaspace");
  stage.Set("replacement", Json(kUnigramMark)).Set("prepend_scheme", scheme).Set("split", split);
  return stage;
}

Json SplitOnSpace() {
  Json stage = StageOf("Split");
  stage.Set("pattern", Json::Obj({{"String", " "}}))
      .Set("behavior", "MergedWithPrevious")
      .Set("invert", false);
  return stage;
}

struct Stages {
  const char* name;
  Json normalizer, pre_tokenizer;
};

std::vector<Stages> AllStages() {
  std::vector<Stages> all = {{"Mistral", Both(), Json()},
                             {"Gemma", Replace(), SplitOnSpace()},
                             {"ReplaceOnly", Replace(), Json()},
                             {"MetaspaceAfterBoth", Both(), Metaspace("always", true)}};
  all.push_back({"Always", Json(), Metaspace("always", false)});
  all.push_back({"First", Json(), Metaspace("first", false)});
  all.push_back({"Never", Json(), Metaspace("never", false)});
  all.push_back({"AlwaysSplit", Json(), Metaspace("always", true)});
  all.push_back({"FirstSplit", Json(), Metaspace("first", true)});
  all.push_back({"NeverSplit", Json(), Metaspace("never", true)});
  return all;
}

std::string WithMarks(std::string text) {
  for (size_t at = 0; (at = text.find("\xE2\x80\xA8", at)) != std::string::npos;) {
    text.replace(at, 3, kUnigramMark);
  }
  return text;
}

void ExpectPlainIds(const Tokenizer& tokenizer, const std::string& text) {
  ASSERT_TRUE(PathsAgree(tokenizer, text)) << Json(text).Dump();
}

class MetaspaceBpeTest : public testing::TestWithParam<size_t> {};

TEST_P(MetaspaceBpeTest, HardTextsGiveTheIdsOfThePlainPath) {
  Stages stages = AllStages()[GetParam()];
  for (bool byte_fallback : {true, false}) {
    Tokenizer tokenizer = Tokenizer::Build(
        SmallSentencePieceBpe(stages.normalizer, stages.pre_tokenizer, byte_fallback));
    ASSERT_TRUE(tokenizer.has_fast_path());
    for (uint64_t seed = 0; seed < 1000; ++seed) {
      std::string text = WithMarks(HardText(seed, seed % 10 == 0 ? 200 : 20));
      ExpectPlainIds(tokenizer, text);
      ExpectPlainIds(tokenizer, "<x>" + text + "<x> a");
    }
    for (std::string_view text : {"", " ", "  ", "a", " a", "a ", "> <", ">  <", "the there"}) {
      ExpectPlainIds(tokenizer, std::string(text));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Stages, MetaspaceBpeTest, testing::Range<size_t>(0, 10),
                         [](const auto& info) { return AllStages()[info.param].name; });

std::vector<uint32_t> IdsOf(const SegmentEncoder& encoder, std::string_view text,
                            SegmentEncoder::Scratch& scratch) {
  std::vector<uint32_t> ids;
  encoder.Encode(text, SegmentPosition::kStartOfText, scratch, &ids);
  return ids;
}

// Every tier's encoder gives the ids of the plain path; texts are handed over without a byte behind
// them, so that a sanitizer sees one that is read too far.
void ExpectAllTiersPlain(const Json& json, const std::vector<std::string>& texts) {
  Tokenizer plain = Tokenizer::Build(json);
  for (MetaspaceBpeFunction kernel : MetaspaceBpeKernels()) {
    auto encoder = MakeMetaspaceBpeEncoder(json, kernel);
    ASSERT_NE(encoder, nullptr);
    auto scratch = encoder->MakeScratch();
    for (const std::string& text : texts) {
      auto exact = std::make_unique<char[]>(text.size());
      std::copy(text.begin(), text.end(), exact.get());
      ASSERT_EQ(IdsOf(*encoder, {exact.get(), text.size()}, *scratch),
                plain.Encode(text, {.stage_by_stage = true}).ids)
          << Json(text).Dump();
    }
  }
}

TEST_P(MetaspaceBpeTest, EveryTierGivesTheIdsOfThePlainPath) {
  Stages stages = AllStages()[GetParam()];
  std::vector<std::string> texts;
  for (uint64_t seed = 2000; seed < 2600; ++seed) {
    texts.push_back(WithMarks(HardText(seed, seed % 10 == 0 ? 300 : 24)));
  }
  ExpectAllTiersPlain(SmallSentencePieceBpe(stages.normalizer, stages.pre_tokenizer, true), texts);
  ExpectAllTiersPlain(SmallSentencePieceBpe(stages.normalizer, stages.pre_tokenizer, false), texts);
}

TEST_P(MetaspaceBpeTest, TextsOfEveryLengthAroundABlockAreEqual) {
  Stages stages = AllStages()[GetParam()];
  std::vector<std::string> texts;
  for (std::string_view end : {"a", " ", "\n", "1", "!", "\xC3\xA9", "\xE2\x96\x81"}) {
    for (std::string_view fill : {"x", " ", "the ", "7", "!", "\xD0\xBC", "\xE2\x96\x81"}) {
      for (size_t size = 50; size < 140; ++size) {
        std::string text;
        while (text.size() < size) text += fill;
        texts.push_back(text.append(end).append("z"));
      }
    }
  }
  ExpectAllTiersPlain(SmallSentencePieceBpe(stages.normalizer, stages.pre_tokenizer, true), texts);
}

TEST(MetaspaceBpe, EveryPairOfBytesOfAsciiIsCutOnlyWhereItCannotMerge) {
  std::vector<std::string> texts;
  for (int left = 0; left < 128; ++left) {
    std::string text;
    for (int right = 0; right < 128; ++right) {
      text.push_back(static_cast<char>(left));
      text.push_back(static_cast<char>(right));
    }
    texts.push_back(text);
  }
  Json json = SmallSentencePieceBpe(Both(), Json(), true);
  // Signs, digits and line ends that merge with one another and with letters.
  Json* vocab = json.Find("model")->Find("vocab");
  int64_t id = 6000;
  for (std::string_view character : {"1", "2", "\n", "\t", ".", "\"", "(", "+"}) {
    if (vocab->Find(character) == nullptr) vocab->Set(std::string(character), id++);
  }
  for (auto [left, right] : {std::pair{"1", "2"},
                             {"\n", "\n"},
                             {"\t", "\n"},
                             {".", "\""},
                             {"(", "+"},
                             {"a", "1"},
                             {"+", "a"},
                             {"2", "."}}) {
    vocab->Set(std::string(left) + right, id++);
    json.Find("model")->Find("merges")->Push(Json::Arr({left, right}));
  }
  ExpectAllTiersPlain(json, texts);
}

TEST(MetaspaceBpe, CachesThatOverflowForgetAndStayRight) {
  Json json = SmallSentencePieceBpe(Both(), Json(), true);
  std::string text;  // more distinct words, short and long, than the first table sizes hold
  for (int i = 0; i < 30000; ++i) {
    std::string word;
    for (int x = i; x > 0; x /= 26) word.push_back(static_cast<char>('a' + x % 26));
    text += " " + word;
    if (i % 3 == 0) text += " " + word + "interoperability" + word;
  }
  for (MetaspaceBpeFunction kernel : MetaspaceBpeKernels()) {
    auto encoder = MakeMetaspaceBpeEncoder(json, kernel);
    auto scratch = encoder->MakeScratch();
    std::vector<uint32_t> first = IdsOf(*encoder, text, *scratch);
    EXPECT_EQ(IdsOf(*encoder, text, *scratch), first);
    EXPECT_EQ(IdsOf(*encoder, text, *encoder->MakeScratch()), first);
  }
}

TEST(MetaspaceBpe, StretchesOfAnyLengthMergeAlike) {
  Tokenizer tokenizer = Tokenizer::Build(SmallSentencePieceBpe(Both(), Json(), true));
  for (std::string_view unit : {"a", "ab", "aab", "the", "there", "7", " ", "a b",
                                "\xD0\xBC\xD0\xB8", "\xE4\xB8\xAD\xE6\x96\x87\xE5\xAD\x97"}) {
    for (size_t count : {1, 2, 3, 7, 8, 15, 16, 23, 24, 25, 26, 31, 32, 33, 64, 257, 4001}) {
      std::string text;
      for (size_t i = 0; i < count; ++i) text += unit;
      ExpectPlainIds(tokenizer, text);
    }
  }
}

TEST(MetaspaceBpe, MergesOverByteTokensAreLeftToThePlainPath) {
  Json json = SmallSentencePieceBpe(Both(), Json(), true);
  json.Find("model")->Find("vocab")->Set("<0x41>a", 5000);
  json.Find("model")->Find("merges")->Push(Json::Arr({"<0x41>", "a"}));
  EXPECT_FALSE(Tokenizer::Build(json).has_fast_path());
}

TEST(MetaspaceBpe, OptionsThatAreNotCertainAreLeftToThePlainPath) {
  for (const char* key : {"dropout", "ignore_merges"}) {
    Json json = SmallSentencePieceBpe(Both(), Json(), true);
    json.Find("model")->Set(key, std::string_view(key) == "dropout" ? Json(0.5) : Json(true));
    EXPECT_FALSE(Tokenizer::Build(json).has_fast_path()) << key;
  }
  Json json = SmallSentencePieceBpe(Json(), Json(), true);
  EXPECT_FALSE(Tokenizer::Build(json).has_fast_path()) << "spaces stay spaces";
}

}  // namespace
}  // namespace hearth::tokenizers

#include <gtest/gtest.h>

#include "tokenizers/segment_encoders/byte_bpe_testing.h"
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

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tokenizers/trainers/tokenizer_training.h"
#include "tokenizers/trainers/trainer.h"

namespace hearth::tokenizers {
namespace {

Json Train(std::string_view kind, const TrainerOptions& options,
           const std::vector<std::pair<std::string, uint64_t>>& words) {
  auto trainer = MakeTrainer(kind, options);
  for (const auto& [word, count] : words) trainer->Feed(word, count);
  return trainer->Train({});
}

TEST(BpeTrainerTest, TheMostFrequentPairIsMergedFirst) {
  Json model = Train("bpe", {.vocab_size = 5}, {{"aab", 4}, {"ab", 3}, {"ca", 1}});
  EXPECT_EQ(model.Find("merges")->Dump(), R"([["a","b"],["a","ab"]])");
  EXPECT_EQ(model.Find("vocab")->Dump(), R"({"a":0,"b":1,"c":2,"ab":3,"aab":4})");
}

TEST(BpeTrainerTest, EqualPairsGoByTheirIds) {
  Json model = Train("bpe", {}, {{"cd", 2}, {"ab", 2}});
  EXPECT_EQ(model.Find("merges")->Dump(), R"([["a","b"],["c","d"]])");
}

TEST(BpeTrainerTest, RarePairsAreLeft) {
  Json model = Train("bpe", {.min_frequency = 3}, {{"ab", 3}, {"cd", 2}});
  EXPECT_EQ(model.Find("merges")->Dump(), R"([["a","b"]])");
}

TEST(WordPieceTrainerTest, TokensInsideAWordCarryThePrefix) {
  Json model = Train("wordpiece", {.special_tokens = {"[UNK]"}}, {{"aba", 2}});
  EXPECT_EQ(model.Find("vocab")->Dump(),
            R"({"[UNK]":0,"a":1,"b":2,"##b":3,"##a":4,"ab":5,"aba":6})");
}

TEST(WordLevelTrainerTest, FrequentWordsComeFirstThenByText) {
  Json model = Train("wordlevel", {.vocab_size = 3}, {{"b", 1}, {"a", 1}, {"z", 5}, {"y", 1}});
  EXPECT_EQ(model.Find("vocab")->Dump(), R"({"z":0,"a":1,"b":2})");
}

TEST(UnigramTrainerTest, RepeatedPartsBecomePieces) {
  std::vector<std::pair<std::string, uint64_t>> words = {
      {"walking", 50}, {"talking", 40}, {"walked", 30}, {"talked", 20}};
  Json model = Train("unigram", {.vocab_size = 16, .unk_token = "<unk>"}, words);
  std::vector<std::string> pieces;
  for (const Json& item : *model.Find("vocab")->AsArray()) {
    pieces.push_back(*(*item.AsArray())[0].AsString());
  }
  EXPECT_EQ(pieces.front(), "<unk>");
  EXPECT_THAT(pieces, testing::IsSupersetOf({"walk", "talk", "w", "e", "d"}));
  EXPECT_THROW(Train("unigram", {.vocab_size = 3}, words), Error);
}

TEST(TrainerTest, ProgressIsToldAndTrainingCanBeCancelled) {
  for (const char* kind : {"bpe", "unigram", "wordlevel", "wordpiece"}) {
    auto trainer = MakeTrainer(kind, {.vocab_size = 40});
    trainer->Feed("hello", 3);
    trainer->Feed("yellow", 2);
    std::vector<std::string> stages;
    TrainingObserver observer;
    observer.progress = [&](const TrainingProgress& now) { stages.emplace_back(now.stage); };
    trainer->Train(observer);
    EXPECT_FALSE(stages.empty()) << kind;
    observer.cancelled = [] { return true; };
    EXPECT_THROW(trainer->Train(observer), Error) << kind;
  }
}

TEST(TrainerTest, AnEmptyCorpusGivesAModelOfTheSpecialTokens) {
  for (const char* kind : {"bpe", "wordlevel", "wordpiece"}) {
    Json model = Train(kind, {.special_tokens = {"<s>"}}, {});
    EXPECT_EQ(model.Find("vocab")->Dump(), R"({"<s>":0})") << kind;
  }
}

TEST(WordCountsTest, CountsEachWordAndSortsByBytes) {
  WordCounts counts;
  for (int i = 0; i < 30'000; ++i) counts.Add("w" + std::to_string(i % 10'000));
  EXPECT_EQ(counts.size(), 10'000u);
  auto words = counts.Sorted();
  EXPECT_EQ(words.front().first, "w0");
  EXPECT_THAT(words, testing::Each(testing::Field(&decltype(words)::value_type::second, 3u)));
}

TEST(TokenizerTrainingTest, AByteLevelTokenizerKnowsEveryByte) {
  TokenizerTraining training({.model = "bpe",
                              .trainer = {.vocab_size = 300, .special_tokens = {"<s>"}},
                              .pipeline = PresetPipeline("bpe", "")});
  training.Feed("the cat and the hat and the bat\n");
  Tokenizer tokenizer = Tokenizer::FromJson(training.Train({}));
  std::string text = "naïve 中文 \x01 the";
  EXPECT_EQ(tokenizer.Decode(tokenizer.EncodeIds(text)), text);
  EXPECT_EQ(tokenizer.FindId("<s>"), 0u);
  EXPECT_TRUE(tokenizer.FindId("Ġthe"));
}

TEST(TokenizerTrainingTest, UnknownNamesAreRefused) {
  EXPECT_THROW(PresetPipeline("bpe", "other"), Error);
  EXPECT_THROW(MakeTrainer("other", {}), Error);
}

}  // namespace
}  // namespace hearth::tokenizers

// Sampling, speculation, stopping and streaming as a caller sees them; equality with transformers
// is tests/parity/test_generation.py's.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "base/error.h"
#include "runtime/generation/prompt_lookup.h"
#include "runtime/generation/sampler.h"
#include "runtime/generation/score_kernels.h"
#include "runtime/generation/stop_conditions.h"
#include "runtime/generation/text_stream.h"

namespace hearth::runtime {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> RandomScores(size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> scores(count);
  for (float& score : scores) score = normal(engine);
  return scores;
}

GenerationConfig SamplingConfig(uint64_t seed) {
  GenerationConfig config;
  config.do_sample = true;
  config.seed = seed;
  config.top_p = 0.95;
  return config;
}

TEST(RandomStream, IsPhiloxAsPublished) {
  // Known answers of the authors' library (Random123, kat_vectors).
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(ScoreKernels, ExponentialsAreAccurateAndSumUp) {
  std::vector<float> values;
  for (float x = 0; x > -100; x -= 0.0137f) values.push_back(x);
  std::vector<float> weights(values.size());
  std::vector<double> blocks;
  double total = ExpScores(values, 0, weights, &blocks);
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    double exact = values[i] < -87 ? 0 : std::exp(double{values[i]});
    EXPECT_NEAR(weights[i], exact, exact * 3e-7) << values[i];
    sum += exact;
  }
  EXPECT_NEAR(total, sum, sum * 1e-6);
  EXPECT_EQ(blocks.size(), (values.size() + kScoreBlock - 1) / kScoreBlock);
}

TEST(CandidateSet, SelectsRanksAmongManyTies) {
  std::mt19937 engine(3);
  for (size_t count : {1, 5, 300, 5000, 20000}) {
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(engine() % 40);
    std::vector<float> sorted = values;
    std::sort(sorted.rbegin(), sorted.rend());
    CandidateSet set;
    set.Reset(values);
    for (size_t rank : {size_t{0}, count / 3, count - 1}) {
      EXPECT_EQ(set.ValueAtRank(rank), sorted[rank]) << count << " " << rank;
    }
  }
}

TEST(CandidateSet, NucleusHoldsTheMassWithTheFewestTokens) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::vector<float> scores = RandomScores(20000, seed);
    std::vector<float> copy = scores;
    CandidateSet set;
    set.Reset(copy);
    std::vector<float> probabilities(set.Probabilities().begin(), set.Probabilities().end());
    set.KeepNucleus(0.9, 1);
    double mass = 0;
    float least = 1;
    for (size_t i = 0; i < set.size(); ++i) {
      mass += probabilities[set.id(i)];
      least = std::min(least, probabilities[set.id(i)]);
    }
    EXPECT_GE(mass, 0.9 - 1e-6);
    EXPECT_LT(mass - least, 0.9 + 1e-6);
  }
}

TEST(Sampler, DrawsDependOnSeedPositionAndScoresAlone) {
  std::vector<TokenId> history(7, 1);
  std::vector<float> scores = RandomScores(1000, 1);
  auto draw = [&](uint64_t seed, uint32_t sequence, std::span<const TokenId> text) {
    std::vector<float> copy = scores;
    return Sampler(SamplingConfig(seed), {.sequence = sequence}).Sample(text, copy).id;
  };
  TokenId first = draw(5, 0, history);
  EXPECT_EQ(draw(5, 0, history), first);
  int same = 0;
  for (uint64_t seed = 100; seed < 200; ++seed) same += draw(seed, 0, history) == first ? 1 : 0;
  EXPECT_LT(same, 60);
  int different = 0;
  for (uint32_t sequence = 1; sequence < 50; ++sequence) {
    different += draw(5, sequence, history) != first ? 1 : 0;
  }
  EXPECT_GT(different, 10);
}

TEST(Sampler, TemperatureZeroAndNoSamplingTakeTheBest) {
  std::vector<float> scores = RandomScores(500, 2);
  size_t best = std::max_element(scores.begin(), scores.end()) - scores.begin();
  GenerationConfig cold = SamplingConfig(1);
  cold.temperature = 0;
  for (const GenerationConfig& config : {cold, GenerationConfig{}}) {
    std::vector<float> copy = scores;
    EXPECT_EQ(Sampler(config, {}).Sample({}, copy).id, best);
  }
}

TEST(Sampler, GivesLogprobsOfTheModelsOwnDistribution) {
  std::vector<float> scores{1, 2, 3, 0.5f};
  GenerationConfig config;
  config.suppress_tokens = std::vector<TokenId>{2};
  Sampler sampler(config, {.top_logprobs = 2});
  SampledToken token = sampler.Sample({}, scores);
  double log_sum = std::log(std::exp(1.0) + std::exp(2.0) + std::exp(3.0) + std::exp(0.5));
  EXPECT_EQ(token.id, 1u);
  EXPECT_NEAR(token.logprob, 2 - log_sum, 1e-6);
  ASSERT_EQ(token.top.size(), 2u);
  EXPECT_EQ(token.top[0].id, 2u);
  EXPECT_NEAR(token.top[0].logprob, 3 - log_sum, 1e-6);
}

TEST(Sampler, ObeysAMaskAndSaysWhenNothingIsLeft) {
  std::vector<float> scores = RandomScores(130, 4);
  std::vector<uint64_t> only_77{0, uint64_t{1} << 13, 0};
  std::vector<float> copy = scores;
  EXPECT_EQ(Sampler(SamplingConfig(1), {}).Sample({}, copy, only_77).id, 77u);
  std::vector<uint64_t> none{0, 0, 0};
  copy = scores;
  try {
    Sampler(SamplingConfig(1), {}).Sample({}, copy, none);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnprocessable);
  }
}

TEST(Sampler, SpeculationChangesNoToken) {
  constexpr size_t kVocab = 20;
  auto model = [](std::span<const TokenId> text) {
    unsigned sum = 0;
    for (TokenId token : text) sum = sum * 31 + token;
    return RandomScores(kVocab, sum);
  };
  for (uint64_t seed = 0; seed < 30; ++seed) {
    GenerationConfig config = SamplingConfig(seed);
    config.do_sample = seed % 3 != 0;
    config.repetition_penalty = 1.1;
    Sampler plain(config, {}), speculative(config, {});
    std::vector<TokenId> expected{1, 2, 3};
    while (expected.size() < 40) {
      std::vector<float> scores = model(expected);
      expected.push_back(plain.Sample(expected, scores).id);
    }
    std::vector<TokenId> text{1, 2, 3};
    std::mt19937 engine(static_cast<unsigned>(seed));
    while (text.size() < 40) {
      // Guesses that are right up to some place.
      std::vector<TokenId> guesses;
      for (size_t i = 0; i < engine() % 5 && text.size() + i < 39; ++i) {
        guesses.push_back(engine() % 4 == 0 ? engine() % kVocab : expected[text.size() + i]);
      }
      std::vector<float> rows;
      std::vector<TokenId> prefix = text;
      for (size_t i = 0; i <= guesses.size(); ++i) {
        std::vector<float> row = model(prefix);
        rows.insert(rows.end(), row.begin(), row.end());
        if (i < guesses.size()) prefix.push_back(guesses[i]);
      }
      for (const SampledToken& token : speculative.Verify(text, guesses, rows)) {
        if (text.size() < 40) text.push_back(token.id);
      }
    }
    EXPECT_EQ(text, expected) << seed;
  }
}

TEST(Sampler, DraftsKeepTheModelsDistribution) {
  std::vector<float> model{0.5f, 0.3f, 0.2f}, draft{0.1f, 0.2f, 0.7f};
  std::mt19937_64 engine(8);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<int> counts(3);
  constexpr int kRuns = 100000;
  for (int i = 0; i < kRuns; ++i) {
    double pick = uniform(engine);
    TokenId token = pick < 0.1 ? 0 : pick < 0.3 ? 1 : 2;
    ++counts[JudgeDraft(model, draft, token, uniform(engine), uniform(engine)).token];
  }
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(counts[i] / double{kRuns}, model[i], 0.008);
}

TEST(StopConditions, NameTheReason) {
  GenerationConfig config;
  config.eos_token_id = std::vector<TokenId>{2, 5};
  config.max_time = 1.5;
  auto start = StopConditions::Clock::time_point{};
  StopConditions stops(config, {.max_length = 4}, start);
  using std::chrono::seconds;
  EXPECT_EQ(stops.Check(std::vector<TokenId>{1, 3}, start), StopReason::kNone);
  EXPECT_EQ(stops.Check(std::vector<TokenId>{1, 5}, start), StopReason::kEos);
  EXPECT_EQ(stops.Check(std::vector<TokenId>{1, 1, 1, 5}, start), StopReason::kEos);
  EXPECT_EQ(stops.Check(std::vector<TokenId>{1, 1, 1, 1}, start), StopReason::kLength);
  EXPECT_EQ(stops.Check(std::vector<TokenId>{1, 1}, start + seconds(2)), StopReason::kTime);
  EXPECT_EQ(stops.Room(3), 1u);
  EXPECT_EQ(stops.Room(9), 0u);
}

TEST(StopStringFilter, GivesTheTextBeforeAStopHoweverItIsCut) {
  const std::string text = "one two\n\nUser: three <|end|> four";
  for (bool keep : {false, true}) {
    const std::string expected = keep ? "one two\n\nUser:" : "one two";
    for (size_t size = 1; size <= text.size(); ++size) {
      StopStringFilter filter({"<|end|>", "\n\nUser:", "never"}, keep);
      std::string out;
      for (size_t at = 0; at < text.size(); at += size) out += filter.Push(text.substr(at, size));
      out += filter.Finish();
      EXPECT_EQ(out, expected) << size;
      EXPECT_EQ(filter.stop_string(), "\n\nUser:");
    }
  }
}

TEST(StopStringFilter, HoldsBackOnlyWhatCouldBeAStop) {
  StopStringFilter filter({"abc", "bcd!"});
  EXPECT_EQ(filter.Push("xxa"), "xx");
  EXPECT_EQ(filter.Push("b"), "");
  EXPECT_EQ(filter.Push("x"), "abx");
  EXPECT_EQ(filter.Push("bcd"), "");
  EXPECT_EQ(filter.Finish(), "bcd");
  EXPECT_FALSE(filter.stopped());
}

TEST(StopStringFilter, RefusesTooMuch) {
  EXPECT_THROW(StopStringFilter(std::vector<std::string>(1000, "x")), Error);
  EXPECT_THROW(StopStringFilter({std::string(100000, 'x')}), Error);
}

TEST(TextStream, NeverCutsACharacterAndStopsAcrossTokens) {
  // A byte-level vocabulary of single bytes: every token is one byte.
  std::string vocab;
  auto tokenizer = tokenizers::Tokenizer::FromJson(
      R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
          "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false},
          "post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false},
          "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,
          "fuse_unk":false,"byte_fallback":false,"vocab":{"S":0,"t":1,"o":2,"p":3,"Ã":4,"©":5,"x":6,"Ġ":7},"merges":[]}})");
  TextStream stream(tokenizer, {.stop_strings = {"Stop"}});
  EXPECT_EQ(stream.Push(6), "x");
  EXPECT_EQ(stream.Push(4), "");
  EXPECT_EQ(stream.Push(5), "é");
  EXPECT_EQ(stream.Push(0), "");
  EXPECT_EQ(stream.Push(1), "");
  EXPECT_EQ(stream.Push(2), "");
  EXPECT_EQ(stream.Push(3), "");
  EXPECT_TRUE(stream.stopped());
  EXPECT_EQ(stream.Push(6), "");
  EXPECT_EQ(stream.Finish(), "");

  TextStream cut(tokenizer, {.stop_strings = {"Stop"}});
  EXPECT_EQ(cut.Push(0), "");
  EXPECT_EQ(cut.Push(4), "");
  EXPECT_EQ(cut.Finish(), "S\xEF\xBF\xBD");
}

TEST(GenerationConfig, RequestsOverrideTheModelsFile) {
  auto model = GenerationConfig::FromJson(Json::Parse(
      R"({"max_length": 100, "temperature": 0.6, "eos_token_id": [1, 2], "pad_token_id": -1, "unknown": {}})"));
  auto request =
      GenerationConfig::FromJson(Json::Parse(R"({"max_new_tokens": 5, "temperature": 1.0})"));
  auto merged = model.MergedWith(request);
  EXPECT_EQ(merged.temperature, 1.0);
  EXPECT_EQ(merged.eos_token_id, (std::vector<TokenId>{1, 2}));
  EXPECT_FALSE(merged.pad_token_id.has_value());
  EXPECT_EQ(ResolveLengths(merged, 7, 0).max_length, 12u);
  EXPECT_EQ(ResolveLengths(model, 7, 0).max_length, 100u);
  EXPECT_EQ(ResolveLengths({}, 7, 10).max_length, 10u);
}

}  // namespace
}  // namespace hearth::runtime

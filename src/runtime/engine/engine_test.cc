#include "runtime/engine/engine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <map>

#include "runtime/engine/tiny_model.h"
#include "tensor/reference/reference_builder.h"

namespace hearth::runtime {
namespace {

const std::vector<TokenId> kPrompt = {5, 17, 33, 60, 7, 8, 9, 21};

std::vector<TokenId> Prompt(uint32_t seed, uint32_t length) {
  std::mt19937 random(seed);
  std::vector<TokenId> prompt(length);
  for (TokenId& token : prompt) token = 2 + random() % 100;
  return prompt;
}

// What the reference executor generates greedily, the whole text computed anew for each token.
std::vector<TokenId> ReferenceGreedy(const Model& model, std::vector<TokenId> tokens,
                                     uint32_t count) {
  std::vector<TokenId> made;
  for (uint32_t i = 0; i < count; ++i) {
    std::vector<uint32_t> positions(tokens.size());
    for (uint32_t at = 0; at < positions.size(); ++at) positions[at] = at;
    tensor::Segment segment;
    segment.rows = static_cast<uint32_t>(tokens.size());
    std::vector<uint32_t> outputs = {segment.rows - 1};
    tensor::Batch batch{tokens, positions, {}, {&segment, 1}, outputs};
    tensor::ReferenceBuilder builder(model.weights(), batch, nullptr);
    model.Forward(Head::kCausalLm, builder);
    const std::vector<float>& logits = builder.Result("logits");
    made.push_back(
        static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
    tokens.push_back(made.back());
    if (made.back() == 1) break;
  }
  return made;
}

GenerationRequest Greedy(std::vector<TokenId> prompt, uint32_t count) {
  GenerationRequest request;
  request.prompt = std::move(prompt);
  request.config.max_new_tokens = count;
  request.config.eos_token_id = {{1}};
  return request;
}

struct Result {
  std::vector<TokenId> tokens;
  std::string text;
  GenerationEvent last;
};

// Collects the events of requests that run at the same time.
class Collector {
 public:
  explicit Collector(Engine& engine) : engine_(engine) {}
  std::future<Result> Start(GenerationRequest request) {
    auto result = std::make_shared<Result>();
    auto promise = std::make_shared<std::promise<Result>>();
    engine_.Submit(std::move(request), [result, promise](const GenerationEvent& event) {
      if (event.token) result->tokens.push_back(event.token->id);
      result->text += event.text;
      if (event.is_last()) {
        result->last = event;
        promise->set_value(*result);
      }
      return true;
    });
    return promise->get_future();
  }
  Result Run(GenerationRequest request) { return Start(std::move(request)).get(); }

 private:
  Engine& engine_;
};

// Whatever computes: the engine's promises are the same.
class EngineTest : public testing::TestWithParam<const char*> {
 protected:
  EngineTest()
      : files_("engine"), model_(Model::Load(files_.folder(), LoadOptionsFor(GetParam()))) {}

  static LoadOptions LoadOptionsFor(const char* executor) {
    LoadOptions options;
    options.precision = tensor::Precision::kF32;
    options.executor = executor;
    return options;
  }

  static EngineOptions Options() {
    EngineOptions options;
    options.threads = 2;
    options.kv_type = tensor::KvType::kF32;
    return options;
  }

  TinyModel files_;
  std::shared_ptr<const Model> model_;
};

TEST_P(EngineTest, GreedyTextIsTheReferences) {
  Engine engine(model_, Options());
  Collector collector(engine);
  Result result = collector.Run(Greedy(kPrompt, 30));
  EXPECT_EQ(result.tokens, ReferenceGreedy(*model_, kPrompt, 30));
  EXPECT_EQ(result.last.prompt_tokens, kPrompt.size());
  EXPECT_EQ(result.last.generated_tokens, result.tokens.size());
  EXPECT_FALSE(result.text.empty());
}

TEST_P(EngineTest, RequestsTogetherGetWhatTheyGetAlone) {
  EngineOptions options = Options();
  options.step_tokens = 24;  // prompts come in parts
  Engine engine(model_, options);
  Collector collector(engine);
  std::vector<std::future<Result>> running;
  std::vector<std::vector<TokenId>> expected;
  for (uint32_t i = 0; i < 12; ++i) {
    std::vector<TokenId> prompt = Prompt(i, 3 + 7 * i);
    expected.push_back(ReferenceGreedy(*model_, prompt, 12));
    running.push_back(collector.Start(Greedy(prompt, 12)));
  }
  for (size_t i = 0; i < running.size(); ++i) EXPECT_EQ(running[i].get().tokens, expected[i]) << i;
}

TEST_P(EngineTest, SequencesPutBackForLackOfPagesLoseNothing) {
  EngineOptions options = Options();
  // Eight pages of 16 tokens for six sequences of up to 60.
  options.kv_bytes = 8 * tensor::KvCache::PageBytes({2, 2, 16, tensor::KvType::kF32});
  Engine engine(model_, options);
  Collector collector(engine);
  std::vector<std::future<Result>> running;
  std::vector<std::vector<TokenId>> expected;
  for (uint32_t i = 0; i < 6; ++i) {
    expected.push_back(ReferenceGreedy(*model_, Prompt(40 + i, 20), 40));
  }
  for (uint32_t i = 0; i < 6; ++i) {
    running.push_back(collector.Start(Greedy(Prompt(40 + i, 20), 40)));
  }
  for (size_t i = 0; i < running.size(); ++i) EXPECT_EQ(running[i].get().tokens, expected[i]) << i;
  EXPECT_GT(engine.state().preempted, 0u);
}

TEST_P(EngineTest, APromptThatBeginsLikeAnEarlierOneTakesItsPages) {
  Engine engine(model_, Options());
  Collector collector(engine);
  std::vector<TokenId> shared = Prompt(1, 50), other = shared;
  other.resize(40);
  other.insert(other.end(), {3, 4, 5});
  EXPECT_EQ(collector.Run(Greedy(shared, 4)).last.cached_tokens, 0u);
  Result second = collector.Run(Greedy(other, 10));
  EXPECT_EQ(second.last.cached_tokens, 32u);
  EXPECT_EQ(second.tokens, ReferenceGreedy(*model_, other, 10));
}

TEST_P(EngineTest, GuessesFromThePromptChangeNothing) {
  Engine engine(model_, Options());
  Collector collector(engine);
  // A text that repeats itself, so that guesses are made; some are right and some are wrong.
  std::vector<TokenId> prompt = Prompt(3, 12);
  prompt.insert(prompt.end(), prompt.begin(), prompt.end());
  GenerationRequest request = Greedy(prompt, 60);
  request.config.prompt_lookup_num_tokens = 5;
  EXPECT_EQ(collector.Run(std::move(request)).tokens, ReferenceGreedy(*model_, prompt, 60));
}

TEST_P(EngineTest, SamplingWithASeedRepeatsInAnyCompany) {
  Engine engine(model_, Options());
  Collector collector(engine);
  auto sampled = [&] {
    GenerationRequest request = Greedy(kPrompt, 20);
    request.config.do_sample = true;
    request.config.seed = 42;
    request.config.temperature = 1.5;
    return request;
  };
  Result alone = collector.Run(sampled());
  std::vector<std::future<Result>> running;
  for (uint32_t i = 0; i < 5; ++i) running.push_back(collector.Start(Greedy(Prompt(i, 30), 20)));
  EXPECT_EQ(collector.Run(sampled()).tokens, alone.tokens);
  for (auto& each : running) each.get();
}

TEST_P(EngineTest, StopsAtAStopStringAndAtTheLength) {
  Engine engine(model_, Options());
  Collector collector(engine);
  Result whole = collector.Run(Greedy(kPrompt, 10));
  EXPECT_EQ(whole.last.stop, whole.tokens.back() == 1 ? StopReason::kEos : StopReason::kLength);
  GenerationRequest request = Greedy(kPrompt, 10);
  std::string third(*model_->tokenizer().FindToken(whole.tokens[2]));
  request.config.stop_strings = {{third}};
  Result stopped = collector.Run(std::move(request));
  EXPECT_EQ(stopped.last.stop, StopReason::kStopString);
  EXPECT_EQ(stopped.last.stop_string, third);
  EXPECT_EQ(stopped.text.find(third), std::string::npos);
}

TEST_P(EngineTest, ACancelledRequestEndsAndFreesItsPages) {
  Engine engine(model_, Options());
  std::promise<void> started;
  std::atomic<int> events{0};
  uint64_t number = engine.Submit(Greedy(kPrompt, 200), [&](const GenerationEvent&) {
    if (events.fetch_add(1) == 0) started.set_value();
    return true;
  });
  started.get_future().wait();
  engine.Cancel(number);
  // The engine goes on to serve others.
  Collector collector(engine);
  EXPECT_EQ(collector.Run(Greedy(kPrompt, 5)).tokens, ReferenceGreedy(*model_, kPrompt, 5));
  // The count follows the last event by a moment.
  while (engine.state().running > 0) std::this_thread::yield();
}

TEST_P(EngineTest, AnAnswerThatNobodyWaitsForAnyMoreLeavesTheBatch) {
  Engine engine(model_, Options());
  std::stop_source left;
  uint32_t events = 0;
  GenerationRequest request = Greedy(kPrompt, 200);
  request.config.eos_token_id = std::vector<TokenId>{};
  EXPECT_THROW(engine.Generate(
                   std::move(request),
                   [&](const GenerationEvent&) {
                     // From another thread, as the network does. The engine waits until it has
                     // begun: 200 tokens of a model so small may take no longer.
                     if (++events == 3) std::thread([&] { left.request_stop(); }).detach();
                     while (events >= 3 && !left.stop_requested()) std::this_thread::yield();
                     return true;
                   },
                   left.get_token()),
               Error);
  // It is gone, with its pages: the engine is free for the next one.
  Collector collector(engine);
  collector.Run(Greedy(kPrompt, 2));
  // The count follows the last event by a moment.
  while (engine.state().running > 0) std::this_thread::yield();
  EXPECT_LT(engine.state().generated_tokens, 202u);

  // Before the first step, too.
  EXPECT_THROW(
      engine.Generate(
          Greedy(kPrompt, 200), [](const GenerationEvent&) { return true; }, left.get_token()),
      Error);
}

TEST_P(EngineTest, RefusesPromptsThatTheModelCannotTake) {
  Engine engine(model_, Options());
  auto sink = [](const GenerationEvent&) { return true; };
  EXPECT_THROW(engine.Submit(Greedy({}, 5), sink), Error);
  EXPECT_THROW(engine.Submit(Greedy({4, 102}, 5), sink), Error);
  EXPECT_THROW(engine.Submit(Greedy(Prompt(1, 256), 5), sink), Error);
}

INSTANTIATE_TEST_SUITE_P(Executors, EngineTest, testing::Values("cpu", "reference"));

TEST(PagePool, GivesOutKnownPagesAndForgetsTheOldestFirst) {
  PagePool pool(3);
  std::vector<uint32_t> text = Prompt(1, 40);
  std::vector<uint32_t> pages = {*pool.Take(), *pool.Take()};
  pool.MakeKnown(pages, {text.data(), 32}, 0);
  EXPECT_EQ(pool.TakeKnown(text, 0), pages);
  EXPECT_EQ(pool.TakeKnown(text, 1), std::vector<uint32_t>());
  // The last token must be computed: of exactly 32 tokens one page is taken.
  std::vector<uint32_t> first = pool.TakeKnown({text.data(), 32}, 0);
  EXPECT_EQ(first.size(), 1u);
  pool.Release(first);
  pool.Release(pages);
  EXPECT_EQ(pool.available(), 1u);
  pool.Release(pages);
  EXPECT_EQ(pool.available(), 3u);
  // The free page, then the later part of the text, then its beginning.
  uint32_t fresh = *pool.Take();
  EXPECT_TRUE(fresh != pages[0] && fresh != pages[1]);
  EXPECT_EQ(*pool.Take(), pages[1]);
  EXPECT_EQ(pool.TakeKnown(text, 0), std::vector<uint32_t>{pages[0]});
}

}  // namespace
}  // namespace hearth::runtime

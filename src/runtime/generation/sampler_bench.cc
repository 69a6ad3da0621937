#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "runtime/generation/sampler.h"

namespace hearth::runtime {
namespace {

// Scores as a language model gives them: a bulk around 0 and a few that stand out.
std::vector<float> MakeScores(size_t vocab_size) {
  std::mt19937 engine(1);
  std::normal_distribution<float> normal(0, 2.5);
  std::vector<float> scores(vocab_size);
  for (float& score : scores) score = normal(engine);
  for (size_t i = 0; i < 20; ++i) scores[engine() % vocab_size] += 8.0f;
  return scores;
}

void Run(benchmark::State& state, const GenerationConfig& config, const SamplerSetup& setup) {
  auto scores = MakeScores(static_cast<size_t>(state.range(0)));
  Sampler sampler(config, setup);
  std::vector<float> copy(scores.size());
  std::vector<TokenId> history(1, 1);
  for (auto _ : state) {
    std::copy(scores.begin(), scores.end(), copy.begin());
    history.resize(history.size() % 512 + 1, 1);
    benchmark::DoNotOptimize(sampler.Sample(history, copy));
  }
}

GenerationConfig Sampling(uint32_t top_k, double top_p) {
  GenerationConfig config;
  config.do_sample = true;
  config.seed = 1;
  config.temperature = 0.8;
  config.top_k = top_k;
  config.top_p = top_p;
  return config;
}

void BM_Greedy(benchmark::State& state) { Run(state, {}, {}); }
void BM_TopK(benchmark::State& state) { Run(state, Sampling(50, 1.0), {}); }
void BM_TopP(benchmark::State& state) { Run(state, Sampling(0, 0.9), {}); }
void BM_TopKTopP(benchmark::State& state) { Run(state, Sampling(50, 0.9), {}); }
void BM_Temperature(benchmark::State& state) { Run(state, Sampling(0, 1.0), {}); }
void BM_TopKTopPLogprobs(benchmark::State& state) {
  Run(state, Sampling(50, 0.9), {.top_logprobs = 5});
}
BENCHMARK(BM_Greedy)->Arg(49152)->Arg(151936);
BENCHMARK(BM_TopK)->Arg(49152)->Arg(151936);
BENCHMARK(BM_TopP)->Arg(49152)->Arg(151936);
BENCHMARK(BM_TopKTopP)->Arg(49152)->Arg(151936);
BENCHMARK(BM_Temperature)->Arg(49152)->Arg(151936);
BENCHMARK(BM_TopKTopPLogprobs)->Arg(49152)->Arg(151936);

}  // namespace
}  // namespace hearth::runtime

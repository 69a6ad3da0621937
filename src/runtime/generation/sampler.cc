#include "runtime/generation/sampler.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/random.h"
#include "runtime/generation/score_kernels.h"

namespace hearth::runtime {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

uint64_t RandomSeed() {
  std::string bytes = RandomBytes(sizeof(uint64_t));
  uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), sizeof(seed));
  return seed;
}

void Forbid(std::span<const uint64_t> allowed, std::span<float> scores) {
  for (size_t word = 0; word * 64 < scores.size(); ++word) {
    uint64_t forbidden = word < allowed.size() ? ~allowed[word] : ~uint64_t{0};
    size_t base = word * 64;
    if (forbidden == ~uint64_t{0}) {
      size_t end = std::min(scores.size(), base + 64);
      std::fill(scores.begin() + base, scores.begin() + end, kForbidden);
      continue;
    }
    for (; forbidden != 0; forbidden &= forbidden - 1) {
      size_t token = base + static_cast<size_t>(__builtin_ctzll(forbidden));
      if (token < scores.size()) scores[token] = kForbidden;
    }
  }
}

// Temperature 0 is the limit of sampling: the best token.
bool Samples(const GenerationConfig& config) {
  return config.do_sample.value_or(false) && config.temperature.value_or(1) != 0;
}

}  // namespace

Sampler::Sampler(const GenerationConfig& config, const SamplerSetup& setup)
    : processors_(config, setup.processors),
      sample_(Samples(config)),
      logprobs_(setup.logprobs || setup.top_logprobs > 0),
      top_logprobs_(setup.top_logprobs),
      stream_(config.seed ? *config.seed : RandomSeed(), setup.sequence) {}

SampledToken Sampler::Sample(std::span<const TokenId> history, std::span<float> scores,
                             std::span<const uint64_t> allowed) {
  if (logprobs_) raw_scores_.assign(scores.begin(), scores.end());
  processors_.Process(history, scores);
  if (!allowed.empty()) Forbid(allowed, scores);
  float best = MaxScore(scores);
  if (best == kForbidden || !std::isfinite(best)) {
    throw Error(Code::kUnprocessable, best == kForbidden ? "every token is forbidden at this point"
                                                         : "the model's scores are not numbers");
  }
  candidates_.Reset(scores);
  SampledToken chosen;
  if (sample_) {
    processors_.Warp(&candidates_);
    chosen.id = candidates_.Draw(stream_.Uniform(history.size()));
  } else {
    chosen.id = candidates_.Best();
  }
  if (logprobs_) AddLogprobs(&chosen);
  return chosen;
}

SampledToken Sampler::Score(TokenId token, std::span<const float> scores) {
  raw_scores_.assign(scores.begin(), scores.end());
  SampledToken scored;
  scored.id = token;
  AddLogprobs(&scored);
  return scored;
}

void Sampler::AddLogprobs(SampledToken* token) {
  std::span<const float> raw(raw_scores_);
  float max = MaxScore(raw);
  candidates_.Reset(raw_scores_);
  double sum = 0;
  for (float score : raw) sum += std::exp(double{score} - max);
  auto log_sum = std::log(sum);
  auto logprob = [&](float score) { return static_cast<float>(double{score} - max - log_sum); };
  token->logprob = logprob(raw[token->id]);
  size_t count = std::min<size_t>(top_logprobs_, raw.size());
  if (count > 0) {
    std::vector<unsigned> ids;
    CollectAtLeast(raw, candidates_.ValueAtRank(count - 1), &ids);
    std::stable_sort(ids.begin(), ids.end(),
                     [&](unsigned a, unsigned b) { return raw[a] > raw[b]; });
    for (size_t i = 0; i < std::min(count, ids.size()); ++i) {
      token->top.push_back({ids[i], logprob(raw[ids[i]])});
    }
  }
}

std::vector<SampledToken> Sampler::Verify(std::span<const TokenId> history,
                                          std::span<const TokenId> guesses,
                                          std::span<float> scores) {
  size_t vocab_size = scores.size() / (guesses.size() + 1);
  std::vector<TokenId> text(history.begin(), history.end());
  std::vector<SampledToken> tokens;
  for (size_t i = 0; i <= guesses.size(); ++i) {
    tokens.push_back(Sample(text, scores.subspan(i * vocab_size, vocab_size)));
    if (i == guesses.size() || tokens.back().id != guesses[i]) break;
    text.push_back(guesses[i]);
  }
  return tokens;
}

DraftVerdict JudgeDraft(std::span<const float> model, std::span<const float> draft, TokenId token,
                        double accept_uniform, double redraw_uniform) {
  if (token >= model.size() || model.size() != draft.size()) {
    throw Error(Code::kInvalidArgument, "a draft must be a token of the model's vocabulary");
  }
  if (accept_uniform * draft[token] < model[token]) return {true, token};
  double total = 0;
  for (size_t i = 0; i < model.size(); ++i) total += std::max(0.0f, model[i] - draft[i]);
  // Rounding alone can make a draft equal to the model fail; the model's own choice is right then.
  bool same = total <= 0;
  double left = redraw_uniform * (same ? 1.0 : total);
  TokenId last = 0;
  for (size_t i = 0; i < model.size(); ++i) {
    float weight = same ? model[i] : std::max(0.0f, model[i] - draft[i]);
    if (weight <= 0) continue;
    last = static_cast<TokenId>(i);
    left -= weight;
    if (left < 0) break;
  }
  return {false, last};
}

}  // namespace hearth::runtime

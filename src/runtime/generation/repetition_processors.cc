// Penalties on tokens that were there already: CTRL's repetition_penalty (arXiv 1909.05858), the
// same with the sign turned for an encoder's input, and OpenAI's additive ones, which count only
// what was generated.
#include <algorithm>
#include <utility>

#include "runtime/generation/logits_processor.h"

namespace hearth::runtime {
namespace {

// The distinct tokens of a list with their counts, without a table of the vocabulary's size per
// call: counts are set back token by token.
class TokenCounter {
 public:
  template <typename Take>
  void ForEach(std::span<const TokenId> tokens, size_t vocab_size, Take take) {
    if (counts_.size() < vocab_size) counts_.resize(vocab_size);
    for (TokenId token : tokens) {
      if (token < vocab_size) ++counts_[token];
    }
    for (TokenId token : tokens) {
      if (token >= vocab_size || counts_[token] == 0) continue;
      take(token, counts_[token]);
      counts_[token] = 0;
    }
  }

 private:
  std::vector<uint32_t> counts_;
};

float Penalized(float score, float penalty) {
  return score < 0 ? score * penalty : score / penalty;
}

class RepetitionProcessor : public LogitsProcessor {
 public:
  explicit RepetitionProcessor(float penalty) : penalty_(penalty) {}

  void Apply(std::span<const TokenId> history, std::span<float> scores) override {
    counter_.ForEach(history, scores.size(), [&](TokenId token, uint32_t) {
      scores[token] = Penalized(scores[token], penalty_);
    });
  }

 private:
  float penalty_;
  TokenCounter counter_;
};

class EncoderRepetitionProcessor : public LogitsProcessor {
 public:
  EncoderRepetitionProcessor(float penalty, std::vector<TokenId> tokens)
      : penalty_(penalty), tokens_(std::move(tokens)) {}

  void Apply(std::span<const TokenId>, std::span<float> scores) override {
    counter_.ForEach(tokens_, scores.size(), [&](TokenId token, uint32_t) {
      scores[token] = Penalized(scores[token], penalty_);
    });
  }

 private:
  float penalty_;
  std::vector<TokenId> tokens_;
  TokenCounter counter_;
};

class FrequencyProcessor : public LogitsProcessor {
 public:
  FrequencyProcessor(float frequency, float presence, uint32_t prompt_length)
      : frequency_(frequency), presence_(presence), prompt_length_(prompt_length) {}

  void Apply(std::span<const TokenId> history, std::span<float> scores) override {
    auto generated = history.subspan(std::min<size_t>(prompt_length_, history.size()));
    counter_.ForEach(generated, scores.size(), [&](TokenId token, uint32_t count) {
      scores[token] -= frequency_ * static_cast<float>(count) + presence_;
    });
  }

 private:
  float frequency_;
  float presence_;
  uint32_t prompt_length_;
  TokenCounter counter_;
};

}  // namespace

std::unique_ptr<LogitsProcessor> MakeEncoderRepetitionPenalty(const GenerationConfig& config,
                                                              const ProcessorSetup& setup) {
  double penalty = config.encoder_repetition_penalty.value_or(1);
  if (penalty == 1 || setup.encoder_tokens.empty()) return nullptr;
  return std::make_unique<EncoderRepetitionProcessor>(static_cast<float>(1 / penalty),
                                                      setup.encoder_tokens);
}

std::unique_ptr<LogitsProcessor> MakeRepetitionPenalty(const GenerationConfig& config,
                                                       const ProcessorSetup&) {
  double penalty = config.repetition_penalty.value_or(1);
  if (penalty == 1) return nullptr;
  return std::make_unique<RepetitionProcessor>(static_cast<float>(penalty));
}

std::unique_ptr<LogitsProcessor> MakeFrequencyPenalty(const GenerationConfig& config,
                                                      const ProcessorSetup& setup) {
  double frequency = config.frequency_penalty.value_or(0);
  double presence = config.presence_penalty.value_or(0);
  if (frequency == 0 && presence == 0) return nullptr;
  return std::make_unique<FrequencyProcessor>(static_cast<float>(frequency),
                                              static_cast<float>(presence), setup.prompt_length);
}

}  // namespace hearth::runtime

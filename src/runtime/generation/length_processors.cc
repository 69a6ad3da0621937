// What lengths ask of the scores: no end before a minimum, an end (or a start) that is forced, a
// growing wish to end; and the repair of scores that are no numbers.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "runtime/generation/logits_processor.h"

namespace hearth::runtime {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

void Set(std::span<const TokenId> tokens, float value, std::span<float> scores) {
  for (TokenId token : tokens) {
    if (token < scores.size()) scores[token] = value;
  }
}

class MinLengthProcessor : public LogitsProcessor {
 public:
  MinLengthProcessor(uint32_t length, std::vector<TokenId> eos)
      : length_(length), eos_(std::move(eos)) {}

  void Apply(std::span<const TokenId> history, std::span<float> scores) override {
    if (history.size() < length_) Set(eos_, kForbidden, scores);
  }

 private:
  uint32_t length_;
  std::vector<TokenId> eos_;
};

// Only these tokens when the text has that length.
class ForcedProcessor : public LogitsProcessor {
 public:
  ForcedProcessor(uint32_t length, std::vector<TokenId> tokens)
      : length_(length), tokens_(std::move(tokens)) {}

  void Apply(std::span<const TokenId> history, std::span<float> scores) override {
    if (history.size() != length_) return;
    std::fill(scores.begin(), scores.end(), kForbidden);
    Set(tokens_, 0, scores);
  }

 private:
  uint32_t length_;
  std::vector<TokenId> tokens_;
};

class InvalidValuesProcessor : public LogitsProcessor {
 public:
  void Apply(std::span<const TokenId>, std::span<float> scores) override {
    constexpr float kLargest = std::numeric_limits<float>::max();
    for (float& score : scores) {
      if (std::isnan(score)) score = 0;
      if (std::isinf(score)) score = score > 0 ? kLargest : -kLargest;
    }
  }
};

class LengthDecayProcessor : public LogitsProcessor {
 public:
  LengthDecayProcessor(uint64_t start, double factor, std::vector<TokenId> eos)
      : start_(start), factor_(factor), eos_(std::move(eos)) {}

  void Apply(std::span<const TokenId> history, std::span<float> scores) override {
    if (history.size() <= start_) return;
    auto growth =
        static_cast<float>(std::pow(factor_, static_cast<double>(history.size() - start_)) - 1);
    for (TokenId token : eos_) {
      if (token >= scores.size() || !std::isfinite(scores[token])) continue;
      scores[token] += std::abs(scores[token]) * growth;
    }
  }

 private:
  uint64_t start_;
  double factor_;
  std::vector<TokenId> eos_;
};

}  // namespace

std::unique_ptr<LogitsProcessor> MakeMinLength(const GenerationConfig& config,
                                               const ProcessorSetup& setup) {
  uint32_t length = ResolveLengths(config, setup.prompt_length, setup.max_positions).min_length;
  if (length == 0 || !config.eos_token_id) return nullptr;
  return std::make_unique<MinLengthProcessor>(length, *config.eos_token_id);
}

std::unique_ptr<LogitsProcessor> MakeMinNewTokens(const GenerationConfig& config,
                                                  const ProcessorSetup& setup) {
  uint32_t count = config.min_new_tokens.value_or(0);
  if (count == 0 || !config.eos_token_id) return nullptr;
  return std::make_unique<MinLengthProcessor>(setup.prompt_length + count, *config.eos_token_id);
}

std::unique_ptr<LogitsProcessor> MakeForcedBos(const GenerationConfig& config,
                                               const ProcessorSetup&) {
  if (!config.forced_bos_token_id) return nullptr;
  return std::make_unique<ForcedProcessor>(1, std::vector<TokenId>{*config.forced_bos_token_id});
}

std::unique_ptr<LogitsProcessor> MakeForcedEos(const GenerationConfig& config,
                                               const ProcessorSetup& setup) {
  if (!config.forced_eos_token_id) return nullptr;
  uint32_t length = ResolveLengths(config, setup.prompt_length, setup.max_positions).max_length;
  if (length == 0) return nullptr;
  return std::make_unique<ForcedProcessor>(length - 1, *config.forced_eos_token_id);
}

std::unique_ptr<LogitsProcessor> MakeInvalidValues(const GenerationConfig& config,
                                                   const ProcessorSetup&) {
  if (!config.remove_invalid_values.value_or(false)) return nullptr;
  return std::make_unique<InvalidValuesProcessor>();
}

std::unique_ptr<LogitsProcessor> MakeLengthDecay(const GenerationConfig& config,
                                                 const ProcessorSetup& setup) {
  if (!config.exponential_decay_length_penalty || !config.eos_token_id) return nullptr;
  const LengthDecay& decay = *config.exponential_decay_length_penalty;
  return std::make_unique<LengthDecayProcessor>(
      static_cast<uint64_t>(decay.start) + setup.prompt_length, decay.factor, *config.eos_token_id);
}

}  // namespace hearth::runtime

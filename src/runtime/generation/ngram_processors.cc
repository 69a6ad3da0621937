// No n-gram twice: forbids each token that would complete one that the text (or an encoder's
// input) holds already.
#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/generation/logits_processor.h"

namespace hearth::runtime {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

// Forbids the last token of every window of `text` whose first size - 1 tokens are `prefix`.
void ForbidCompletions(std::span<const TokenId> text, std::span<const TokenId> prefix,
                       std::span<float> scores) {
  for (size_t begin = 0; begin + prefix.size() < text.size(); ++begin) {
    if (!std::equal(prefix.begin(), prefix.end(), text.begin() + begin)) continue;
    TokenId last = text[begin + prefix.size()];
    if (last < scores.size()) scores[last] = kForbidden;
  }
}

class NgramProcessor : public LogitsProcessor {
 public:
  explicit NgramProcessor(uint32_t size) : size_(size) {}

  void Apply(std::span<const TokenId> history, std::span<float> scores) override {
    if (history.size() < size_) return;
    ForbidCompletions(history, history.last(size_ - 1), scores);
  }

 private:
  uint32_t size_;
};

class EncoderNgramProcessor : public LogitsProcessor {
 public:
  EncoderNgramProcessor(uint32_t size, std::vector<TokenId> tokens)
      : size_(size), tokens_(std::move(tokens)) {}

  void Apply(std::span<const TokenId> history, std::span<float> scores) override {
    if (history.size() + 1 < size_) return;
    ForbidCompletions(tokens_, history.last(size_ - 1), scores);
  }

 private:
  uint32_t size_;
  std::vector<TokenId> tokens_;
};

}  // namespace

std::unique_ptr<LogitsProcessor> MakeNoRepeatNgram(const GenerationConfig& config,
                                                   const ProcessorSetup&) {
  uint32_t size = config.no_repeat_ngram_size.value_or(0);
  return size == 0 ? nullptr : std::make_unique<NgramProcessor>(size);
}

std::unique_ptr<LogitsProcessor> MakeEncoderNoRepeatNgram(const GenerationConfig& config,
                                                          const ProcessorSetup& setup) {
  uint32_t size = config.encoder_no_repeat_ngram_size.value_or(0);
  if (size == 0 || setup.encoder_tokens.empty()) return nullptr;
  return std::make_unique<EncoderNgramProcessor>(size, setup.encoder_tokens);
}

}  // namespace hearth::runtime

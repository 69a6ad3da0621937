// suppress_tokens and begin_suppress_tokens (Whisper's): never, or not as the first new token.
#include <limits>
#include <optional>
#include <utility>

#include "runtime/generation/logits_processor.h"

namespace hearth::runtime {
namespace {

class SuppressProcessor : public LogitsProcessor {
 public:
  SuppressProcessor(std::vector<TokenId> tokens, std::optional<uint32_t> only_at)
      : tokens_(std::move(tokens)), only_at_(only_at) {}

  void Apply(std::span<const TokenId> history, std::span<float> scores) override {
    if (only_at_ && history.size() != *only_at_) return;
    for (TokenId token : tokens_) {
      if (token < scores.size()) scores[token] = -std::numeric_limits<float>::infinity();
    }
  }

 private:
  std::vector<TokenId> tokens_;
  std::optional<uint32_t> only_at_;
};

}  // namespace

std::unique_ptr<LogitsProcessor> MakeSuppressTokens(const GenerationConfig& config,
                                                    const ProcessorSetup&) {
  if (!config.suppress_tokens) return nullptr;
  return std::make_unique<SuppressProcessor>(*config.suppress_tokens, std::nullopt);
}

std::unique_ptr<LogitsProcessor> MakeBeginSuppressTokens(const GenerationConfig& config,
                                                         const ProcessorSetup& setup) {
  if (!config.begin_suppress_tokens) return nullptr;
  // A forced first token is not the beginning that is meant.
  bool forced_first = setup.prompt_length <= 1 && config.forced_bos_token_id.has_value();
  return std::make_unique<SuppressProcessor>(*config.begin_suppress_tokens,
                                             setup.prompt_length + (forced_first ? 1 : 0));
}

}  // namespace hearth::runtime

#include "runtime/runner.h"

namespace hearth::runtime {

Encoder& Runner::encoder(Head head) {
  std::lock_guard lock(mutex_);
  auto& encoder = encoders_[head];
  if (encoder == nullptr) {
    encoder = std::make_unique<Encoder>(model_->Program(head), model_->shape().max_tokens,
                                        options_.threads);
  }
  return *encoder;
}

Encoder& Runner::embedder() {
  std::lock_guard lock(mutex_);
  if (embedder_ == nullptr) {
    embedder_ = std::make_unique<Encoder>(model_->EmbeddingProgram(), model_->shape().max_tokens,
                                          options_.threads);
    made_embedder_ = embedder_.get();
  }
  return *embedder_;
}

Engine& Runner::engine() {
  std::lock_guard lock(mutex_);
  if (engine_ == nullptr) engine_ = std::make_unique<Engine>(model_, options_);
  return *engine_;
}

std::shared_ptr<const TokenVocabulary> Runner::vocabulary(const std::vector<std::string>& marks) {
  std::lock_guard lock(mutex_);
  auto& vocabulary = vocabularies_[marks];
  if (vocabulary == nullptr) {
    auto ends = model_->generation_config().eos_token_id.value_or(std::vector<TokenId>());
    vocabulary = std::make_shared<TokenVocabulary>(TokenVocabulary::FromTokenizer(
        model_->tokenizer(), model_->shape().vocabulary, std::move(ends), marks));
  }
  return vocabulary;
}

Engine* Runner::FindEngine() {
  std::lock_guard lock(mutex_);
  return engine_.get();
}

}  // namespace hearth::runtime

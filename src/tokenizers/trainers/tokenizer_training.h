// From text to a whole tokenizer: a pipeline (normalizer, splitting, decoding) cuts the text into
// words, a trainer learns the model from them. Thread rule: one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "tokenizers/tokenizer.h"
#include "tokenizers/trainers/trainer.h"

namespace hearth::tokenizers {

struct TokenizerTrainingOptions {
  std::string model;  // a kind of trainers.inc
  TrainerOptions trainer;
  // A tokenizer.json whose normalizer, pre_tokenizer, post_processor, decoder, truncation and
  // padding are kept; its model and added tokens are not.
  Json pipeline;
};

// What suits a model: "byte-level" for bpe, "bert" for wordpiece, "metaspace" for unigram,
// "whitespace" for wordlevel; `splitting` (may be empty) takes another of these, or "none". Throws
// Error{kInvalidArgument} for an unknown name.
Json PresetPipeline(std::string_view model, std::string_view splitting);

class TokenizerTraining {
 public:
  // Byte-level pipelines get the 256 letters of bytes as their alphabet, as every text must be
  // encodable.
  explicit TokenizerTraining(TokenizerTrainingOptions options);

  void Feed(std::string_view text);
  size_t distinct_words() const { return trainer_->distinct_words(); }
  // The text of tokenizer.json, indented.
  std::string Train(const TrainingObserver& observer) const;

 private:
  TokenizerTrainingOptions options_;
  Tokenizer pipeline_;
  std::unique_ptr<Trainer> trainer_;
};

}  // namespace hearth::tokenizers

// One model with what runs it: made when first needed, shared by all tasks and requests.
//
// Thread rule: use from any number of threads.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "runtime/adapter_set.h"
#include "runtime/engine/encoder.h"
#include "runtime/engine/engine.h"
#include "runtime/grammar/token_vocabulary.h"
#include "runtime/model.h"

namespace hearth::runtime {

class Runner {
 public:
  // `options.threads` serve the encoder too.
  Runner(std::shared_ptr<const Model> model, const EngineOptions& options)
      : model_(std::move(model)), options_(options), adapters_(model_) {}

  const Model& model() const { return *model_; }
  AdapterSet& adapters() { return adapters_; }
  Encoder& encoder(Head head);
  // With the output "embedding".
  Encoder& embedder();
  // Never blocks; nullptr until it is made.
  Encoder* FindEmbedder() const { return made_embedder_; }
  Engine& engine();
  // The bytes of all tokens, for constraints; made at the first call. Special tokens are none
  // unless they are one of `marks`.
  std::shared_ptr<const TokenVocabulary> vocabulary(const std::vector<std::string>& marks = {});
  // Whether a text generator runs, without starting it.
  Engine* FindEngine();

 private:
  std::shared_ptr<const Model> model_;
  EngineOptions options_;
  AdapterSet adapters_;
  std::mutex mutex_;
  std::map<Head, std::unique_ptr<Encoder>> encoders_;
  std::unique_ptr<Encoder> embedder_;
  std::atomic<Encoder*> made_embedder_ = nullptr;
  std::map<std::vector<std::string>, std::shared_ptr<const TokenVocabulary>> vocabularies_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace hearth::runtime

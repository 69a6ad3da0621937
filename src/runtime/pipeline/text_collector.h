// Brings the events of one generation from the engine's thread to the thread that waits for the
// text, so that a caller's callback may be slow or throw.
//
// Submit, then Wait, on one thread. Destroying it ends the generation.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include <hearth/pipeline.h>
#include "runtime/engine/engine.h"

namespace hearth::runtime {

class TextCollector {
 public:
  explicit TextCollector(Engine& engine) : engine_(engine) {}
  ~TextCollector();
  TextCollector(const TextCollector&) = delete;
  TextCollector& operator=(const TextCollector&) = delete;

  void Submit(GenerationRequest request);
  // Throws what the engine reports or the callback throws.
  GeneratedText Wait(const TextCallback& on_text);

 private:
  // Shared with the sink, which may be called a last time after a cancellation.
  struct Queue {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<GenerationEvent> events;
  };

  Engine& engine_;
  std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
  uint64_t number_ = 0;
  bool open_ = false;
};

}  // namespace hearth::runtime

// The memory that one encoding works in, and the pool that hands it out.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "tokenizers/internal/character_index.h"
#include "tokenizers/pre_tokenized_string.h"
#include "tokenizers/segment_encoder.h"
#include "tokenizers/token_span.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {

struct Tokenizer::Scratch {
  PreTokenizedString text;
  internal::CharacterIndex characters;
  std::vector<TokenSpan> spans;
  std::unique_ptr<SegmentEncoder::Scratch> segments;  // made on first use
};

// Lock-free: a thread looks first into the slot where it left its scratch the last time, so its
// caches stay warm, and then around. More threads than slots make and drop scratches.
class Tokenizer::ScratchPool {
 public:
  ~ScratchPool() {
    for (auto& slot : slots_) delete slot.load();
  }

  class Lease {
   public:
    explicit Lease(ScratchPool* pool) : pool_(pool), scratch_(pool->Take()) {}
    ~Lease() { pool_->Give(std::move(scratch_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Scratch* get() { return scratch_.get(); }

   private:
    ScratchPool* pool_;
    std::unique_ptr<Scratch> scratch_;
  };

 private:
  static constexpr size_t kSlots = 64;

  static size_t Home() {
    static thread_local const size_t home =
        std::hash<std::thread::id>()(std::this_thread::get_id()) % kSlots;
    return home;
  }

  std::unique_ptr<Scratch> Take() {
    size_t home = Home();
    for (size_t i = 0; i < kSlots; ++i) {
      std::atomic<Scratch*>& slot = slots_[(home + i) % kSlots];
      if (slot.load(std::memory_order_relaxed) == nullptr) continue;
      if (Scratch* scratch = slot.exchange(nullptr, std::memory_order_acquire)) {
        return std::unique_ptr<Scratch>(scratch);
      }
    }
    return std::make_unique<Scratch>();
  }

  void Give(std::unique_ptr<Scratch> scratch) {
    size_t home = Home();
    for (size_t i = 0; i < kSlots; ++i) {
      Scratch* empty = nullptr;
      if (slots_[(home + i) % kSlots].compare_exchange_strong(
              empty, scratch.get(), std::memory_order_release, std::memory_order_relaxed)) {
        static_cast<void>(scratch.release());
        return;
      }
    }
  }

  std::array<std::atomic<Scratch*>, kSlots> slots_{};
};

}  // namespace hearth::tokenizers

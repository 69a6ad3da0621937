// How well a language model predicts a text: perplexity, and how far another form of a model (other
// precision, quantised) is from it.
//
// The text's tokens are cut into windows; in each, the tokens after the first of the second half
// are judged, each after all that stand before it in the window. This is how
// llama.cpp's perplexity program does it: its numbers for the same text and context compare. Where
// the tokenizer begins texts with a token (<s>), every window begins with it.
//
// Thread rule: one thread at a time. Memory: the cache of one window and 64 MiB of scores.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "runtime/model.h"
#include "tensor/kernels/kv_cache.h"

namespace hearth::runtime {

struct PerplexityOptions {
  uint32_t context = 512;    // tokens of a window, at least 4; cut to what the model can take
  uint64_t max_windows = 0;  // 0: the whole text; what is left after the last window is not judged
  int threads = 0;           // 0: one per core
  tensor::KvType kv_type = tensor::KvType::kF16;
};

// Sums over judged tokens, in nats.
struct Prediction {
  uint64_t windows = 0, tokens = 0;
  uint32_t context = 0;                      // tokens of a window
  uint64_t text_tokens = 0, text_bytes = 0;  // of the whole text
  double surprise = 0;                       // of -ln p
  double squared_surprise = 0;               // of (ln p)^2
  // Beside a reference only:
  double divergence = 0;  // of KL(reference || model)
  double reference_surprise = 0;
  uint64_t same_best = 0;  // tokens before which both find the same one most likely

  double perplexity() const;
  // The text's tokens a byte times the bits of a judged token: comparable between tokenizers.
  double bits_per_byte() const;
  // The standard error of perplexity().
  double perplexity_error() const;
  double reference_perplexity() const;
};

// `reference` may be null. `progress` is told how many of how many windows are done. Throws
// kUnprocessable for a model that generates no text, a text of fewer than 4 tokens, and a reference
// with another vocabulary.
Prediction Judge(const Model& model, const Model* reference, std::string_view text,
                 const PerplexityOptions& options,
                 const std::function<void(uint64_t done, uint64_t total)>& progress = {});

}  // namespace hearth::runtime

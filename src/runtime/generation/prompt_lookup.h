// Guesses at what follows, from the text itself: where the last few tokens stood before, what
// followed there may follow again. Costs no model; the guesses are judged by Sampler::Verify.
//
// The longest n-gram that occurs earlier wins, of several places the first: transformers'
// prompt-lookup candidates. Pure, thread-safe. O(history * max_ngram) at the worst.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/generation/generation_config.h"

namespace hearth::runtime {

struct PromptLookupOptions {
  uint32_t max_ngram = 2;    // longest run of last tokens that is looked for, at least 1
  uint32_t max_tokens = 10;  // longest guess, at least 1
  uint32_t max_length = 0;   // of history and guess together; 0: no limit
  std::vector<TokenId> eos;  // a guess ends before one of these
};

std::vector<TokenId> FindPromptLookup(std::span<const TokenId> history,
                                      const PromptLookupOptions& options);

}  // namespace hearth::runtime

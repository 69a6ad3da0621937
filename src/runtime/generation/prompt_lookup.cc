#include "runtime/generation/prompt_lookup.h"

#include <algorithm>

namespace hearth::runtime {

std::vector<TokenId> FindPromptLookup(std::span<const TokenId> history,
                                      const PromptLookupOptions& options) {
  const size_t length = history.size();
  const size_t limit = options.max_length == 0 ? SIZE_MAX : options.max_length;
  if (length < 2 || limit <= length + 1) return {};
  for (size_t ngram = std::min<size_t>(options.max_ngram, length - 1); ngram > 0; --ngram) {
    auto tail = history.last(ngram);
    // The last place is the tail itself, behind which there is nothing.
    for (size_t begin = 0; begin + ngram < length; ++begin) {
      if (!std::equal(tail.begin(), tail.end(), history.begin() + begin)) continue;
      size_t from = begin + ngram;
      size_t end = std::min({from + options.max_tokens, length, limit});
      if (from >= end) continue;
      auto stop = std::find_first_of(history.begin() + from, history.begin() + end,
                                     options.eos.begin(), options.eos.end());
      std::vector<TokenId> guess(history.begin() + from, stop);
      size_t room = limit - length - 1;  // one place is the model's own
      if (guess.size() > room) guess.resize(room);
      return guess;
    }
  }
  return {};
}

}  // namespace hearth::runtime

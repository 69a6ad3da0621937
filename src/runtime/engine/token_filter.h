// What may come next: the engine's view of a grammar. One per sequence, used by one thread.
#pragma once

#include <cstdint>
#include <span>

namespace hearth::runtime {

class TokenFilter {
 public:
  virtual ~TokenFilter() = default;
  // A bit per token of the vocabulary; the low bit of the first word is token 0. End tokens are
  // allowed where the text may end.
  virtual std::span<const uint64_t> Allowed() = 0;
  virtual void Accept(uint32_t token) = 0;
  // Nothing may follow any more.
  virtual bool finished() const = 0;
};

}  // namespace hearth::runtime

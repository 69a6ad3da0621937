// When a sequence is over, by its tokens and the clock; stop strings are text_stream.h's.
//
// Thread rule: immutable, thread-safe. Source: transformers' stopping criteria.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "runtime/generation/generation_config.h"

namespace hearth::runtime {

// Why a sequence ended; the wire's "stop" is kEos, kStopString and kConstraint, its "length"
// kLength and kTime.
enum class StopReason { kNone, kEos, kStopString, kConstraint, kLength, kTime };

class StopConditions {
 public:
  using Clock = std::chrono::steady_clock;

  // `start`: when the generation began, for max_time.
  StopConditions(const GenerationConfig& config, const LengthLimits& limits,
                 Clock::time_point start);

  bool IsEos(TokenId token) const;
  // For a sequence whose last token is new. The end of the text comes before the length.
  StopReason Check(std::span<const TokenId> sequence, Clock::time_point now) const;
  // Tokens that the sequence may still get.
  uint32_t Room(size_t length) const;

 private:
  std::vector<TokenId> eos_;
  uint32_t max_length_;
  std::optional<Clock::time_point> deadline_;
};

}  // namespace hearth::runtime

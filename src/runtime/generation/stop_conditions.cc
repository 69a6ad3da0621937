#include "runtime/generation/stop_conditions.h"

#include <algorithm>

namespace hearth::runtime {

StopConditions::StopConditions(const GenerationConfig& config, const LengthLimits& limits,
                               Clock::time_point start)
    : eos_(config.eos_token_id.value_or(std::vector<TokenId>{})), max_length_(limits.max_length) {
  // A century is as good as never and fits into every clock.
  constexpr double kLongest = 3e9;
  if (config.max_time) {
    deadline_ = start + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(std::min(*config.max_time, kLongest)));
  }
}

bool StopConditions::IsEos(TokenId token) const {
  return std::find(eos_.begin(), eos_.end(), token) != eos_.end();
}

StopReason StopConditions::Check(std::span<const TokenId> sequence, Clock::time_point now) const {
  if (!sequence.empty() && IsEos(sequence.back())) return StopReason::kEos;
  if (sequence.size() >= max_length_) return StopReason::kLength;
  if (deadline_ && now > *deadline_) return StopReason::kTime;
  return StopReason::kNone;
}

uint32_t StopConditions::Room(size_t length) const {
  return length >= max_length_ ? 0 : max_length_ - static_cast<uint32_t>(length);
}

}  // namespace hearth::runtime

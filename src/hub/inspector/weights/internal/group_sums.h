// The inner loop of StatsCollector, one file per tier.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace hearth::inspector::internal {

struct GroupSums {
  double sum = 0;         // of value - shift
  double squares = 0;     // of (value - shift)^2
  uint32_t max_bits = 0;  // the largest fp32 bit pattern without its sign
  uint32_t zeros = 0;
};

using SumGroup = void (*)(const float* values, size_t count, float shift, GroupSums* sums);

void SumGroupPortable(const float* values, size_t count, float shift, GroupSums* sums);
#if defined(__x86_64__)
void SumGroupAvx2(const float* values, size_t count, float shift, GroupSums* sums);
void SumGroupAvx512(const float* values, size_t count, float shift, GroupSums* sums);
#endif
SumGroup SumGroupOf(Tier tier);

}  // namespace hearth::inspector::internal

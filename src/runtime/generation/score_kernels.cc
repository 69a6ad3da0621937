#include "runtime/generation/score_kernels.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include "base/cpu.h"

namespace hearth::runtime {
namespace {

// Loops over this many lanes become vector code in each tier; the sums keep one order in all.
constexpr size_t kLanes = 16;

#define HEARTH_INLINE __attribute__((always_inline)) inline

// exp(x) for x <= 0 by 2^n * p(r), |r| <= ln2/2, p the Taylor polynomial of degree 6 with its last
// coefficient fitted; no branches, so that the compiler makes vector code of it.
HEARTH_INLINE float ExpOne(float x) {
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2High = 0.693359375f;    // exact in 10 bits: n * kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4f;  // ln 2 - kLn2High
  constexpr float kRound = 12582912.0f;       // 1.5 * 2^23: adding it rounds to a whole number
  constexpr float kLeast = -87.0f;            // below, the result would be denormal
  float clamped = x < kLeast ? kLeast : x;
  float shifted = clamped * kLog2E + kRound;
  float n = shifted - kRound;
  float r = clamped - n * kLn2High;
  r = r - n * kLn2Low;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  int32_t exponent = (std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRound) + 127) << 23;
  float result = p * std::bit_cast<float>(exponent);
  return x < kLeast ? 0.0f : result;
}

HEARTH_INLINE float MaxBody(const float* values, size_t count) {
  float lanes[kLanes];
  for (float& lane : lanes) lane = -std::numeric_limits<float>::infinity();
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t l = 0; l < kLanes; ++l)
      lanes[l] = lanes[l] < values[i + l] ? values[i + l] : lanes[l];
  }
  float best = -std::numeric_limits<float>::infinity();
  for (float lane : lanes) best = best < lane ? lane : best;
  for (; i < count; ++i) best = best < values[i] ? values[i] : best;
  return best;
}

// One block; returns its sum.
HEARTH_INLINE float ExpBody(const float* values, size_t count, float shift, float* weights) {
  float lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t l = 0; l < kLanes; ++l) weights[i + l] = ExpOne(values[i + l] - shift);
    for (size_t l = 0; l < kLanes; ++l) lanes[l] += weights[i + l];
  }
  float sum = 0;
  for (float lane : lanes) sum += lane;
  for (; i < count; ++i) sum += weights[i] = ExpOne(values[i] - shift);
  return sum;
}

// Whether one of kLanes values reaches `least`.
HEARTH_INLINE bool AnyAtLeast(const float* values, float least) {
  int32_t any = 0;
  for (size_t l = 0; l < kLanes; ++l) any |= values[l] >= least ? 1 : 0;
  return any != 0;
}

HEARTH_INLINE void CollectBody(const float* values, size_t count, float least,
                               std::vector<unsigned>* indices) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    if (!AnyAtLeast(values + i, least)) continue;
    for (size_t l = 0; l < kLanes; ++l) {
      if (values[i + l] >= least) indices->push_back(static_cast<unsigned>(i + l));
    }
  }
  for (; i < count; ++i) {
    if (values[i] >= least) indices->push_back(static_cast<unsigned>(i));
  }
}

float MaxPortable(const float* values, size_t count) { return MaxBody(values, count); }
float ExpPortable(const float* values, size_t count, float shift, float* weights) {
  return ExpBody(values, count, shift, weights);
}
void CollectPortable(const float* values, size_t count, float least, std::vector<unsigned>* out) {
  CollectBody(values, count, least, out);
}

#if defined(__x86_64__)
// Without FMA on purpose: see the header.
__attribute__((target("avx2"))) float MaxAvx2(const float* values, size_t count) {
  return MaxBody(values, count);
}
__attribute__((target("avx2"))) float ExpAvx2(const float* values, size_t count, float shift,
                                              float* weights) {
  return ExpBody(values, count, shift, weights);
}
__attribute__((target("avx2"))) void CollectAvx2(const float* values, size_t count, float least,
                                                 std::vector<unsigned>* out) {
  CollectBody(values, count, least, out);
}
bool UseAvx2() { return CpuTier() >= Tier::kAvx2; }
#else
constexpr auto MaxAvx2 = MaxPortable;
constexpr auto ExpAvx2 = ExpPortable;
constexpr auto CollectAvx2 = CollectPortable;
bool UseAvx2() { return false; }
#endif

}  // namespace

float MaxScore(std::span<const float> values) {
  return UseAvx2() ? MaxAvx2(values.data(), values.size())
                   : MaxPortable(values.data(), values.size());
}

double ExpScores(std::span<const float> values, float shift, std::span<float> weights,
                 std::vector<double>* block_sums) {
  auto* exp_block = UseAvx2() ? ExpAvx2 : ExpPortable;
  block_sums->clear();
  double total = 0;
  for (size_t begin = 0; begin < values.size(); begin += kScoreBlock) {
    size_t count = std::min(kScoreBlock, values.size() - begin);
    double sum = exp_block(values.data() + begin, count, shift, weights.data() + begin);
    block_sums->push_back(sum);
    total += sum;
  }
  return total;
}

void CollectAtLeast(std::span<const float> values, float least, std::vector<unsigned>* indices) {
  if (UseAvx2()) return CollectAvx2(values.data(), values.size(), least, indices);
  CollectPortable(values.data(), values.size(), least, indices);
}

}  // namespace hearth::runtime

#include "runtime/generation/score_kernels.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include "base/cpu.h"

namespace hearth::runtime {
namespace {

// Values that are looked at together before any is looked at alone.
constexpr size_t kLanes = 32;

#define HEARTH_INLINE __attribute__((always_inline)) inline

// Vector types of the compiler: eight lanes, split in two where registers are shorter.
typedef float Floats __attribute__((vector_size(32)));
typedef int32_t Ints __attribute__((vector_size(32)));
constexpr size_t kWidth = 8;

HEARTH_INLINE void Load(const float* from, Floats* to) { __builtin_memcpy(to, from, sizeof(*to)); }

// exp(x) for x <= 0 by 2^n * p(r), |r| <= ln2/2, p a polynomial of degree 7 (Cephes' expf); 0 where
// the result would be denormal. In place: vectors are not passed by value between tiers.
HEARTH_INLINE void ExpVector(Floats* x) {
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2High = 0.693359375f;    // exact in 10 bits: n * kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4f;  // ln 2 - kLn2High
  constexpr float kRound = 12582912.0f;       // 1.5 * 2^23: adding it rounds to a whole number
  constexpr int32_t kRoundBits = 0x4B400000;
  constexpr float kLeast = -87.0f;
  const Ints too_low = *x < kLeast;
  const Floats clamped = too_low ? Floats{} + kLeast : *x;
  const Floats shifted = clamped * kLog2E + kRound;
  const Floats n = shifted - kRound;
  Floats r = clamped - n * kLn2High;
  r = r - n * kLn2Low;
  Floats p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const Ints exponent = ((Ints)shifted - kRoundBits + 127) << 23;
  const Floats result = p * (Floats)exponent;
  *x = too_low ? Floats{} : result;
}

HEARTH_INLINE float MaxBody(const float* values, size_t count) {
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  Floats best[4] = {Floats{} + kLowest, Floats{} + kLowest, Floats{} + kLowest, Floats{} + kLowest};
  size_t i = 0;
  for (; i + 4 * kWidth <= count; i += 4 * kWidth) {
    for (size_t part = 0; part < 4; ++part) {
      Floats x;
      Load(values + i + part * kWidth, &x);
      best[part] = best[part] < x ? x : best[part];
    }
  }
  float all = kLowest;
  for (const Floats& part : best) {
    for (size_t l = 0; l < kWidth; ++l) all = all < part[l] ? part[l] : all;
  }
  for (; i < count; ++i) all = all < values[i] ? values[i] : all;
  return all;
}

// One block; returns its sum. The block's end is filled up with values whose weight is 0.
HEARTH_INLINE float ExpBody(const float* values, size_t count, float shift, float* weights) {
  Floats sums{};
  size_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    Floats x;
    Load(values + i, &x);
    x = x - shift;
    ExpVector(&x);
    __builtin_memcpy(weights + i, &x, sizeof(x));
    sums = sums + x;
  }
  if (i < count) {
    float rest[kWidth];
    for (size_t l = 0; l < kWidth; ++l) {
      rest[l] = i + l < count ? values[i + l] : -std::numeric_limits<float>::infinity();
    }
    Floats x;
    Load(rest, &x);
    x = x - shift;
    ExpVector(&x);
    __builtin_memcpy(weights + i, &x, (count - i) * sizeof(float));
    sums = sums + x;
  }
  float sum = 0;
  for (size_t l = 0; l < kWidth; ++l) sum += sums[l];
  return sum;
}

// Whether one of kLanes values reaches `least`.
HEARTH_INLINE bool AnyAtLeast(const float* values, float least) {
  Ints any{};
  for (size_t l = 0; l < kLanes; l += kWidth) {
    Floats x;
    Load(values + l, &x);
    any |= x >= least;
  }
  int64_t words[4];
  __builtin_memcpy(words, &any, sizeof(words));
  return (words[0] | words[1] | words[2] | words[3]) != 0;
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

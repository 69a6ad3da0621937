// The codebooks of GGUF's IQ types and the small value tables. Numbers as in ggml-common.h.
//
// A grid entry is eight (IQ2, IQ1) or four (IQ3) values of a short alphabet. The tables store which
// letter each value is; Grids() spells them out once, one byte per value.
#pragma once

#include <array>
#include <cstdint>

namespace hearth::tensor::internal {

constexpr int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                   1,    13,   25,  38,  53,  69,  89,  113};
// The 16 values of E2M1, doubled to be whole.
constexpr int8_t kE2m1Doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

struct GridTables {
  uint64_t iq2xxs[256];
  uint64_t iq2xs[512];
  uint64_t iq2s[1024];
  uint64_t iq1s[2048];  // also of IQ1_M; -1, 0 and 1 in eighths
  uint32_t iq3xxs[256];
  uint32_t iq3s[512];
};
const GridTables& Grids();

// Byte i is 0xFF where bit i of the index is set: the signs of eight values.
extern const std::array<uint64_t, 256> kSignMasks;

// IQ2_XXS, IQ2_XS and IQ3_XXS store seven signs of eight; the last makes the number of minuses
// even.
inline uint8_t WithParity(uint32_t seven_bits) {
  return static_cast<uint8_t>(seven_bits | ((__builtin_popcount(seven_bits) & 1) << 7));
}

}  // namespace hearth::tensor::internal

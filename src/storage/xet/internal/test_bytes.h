// Deterministic bytes for tests and benches: the generators that the published vectors are named
// after.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

namespace hearth::storage::internal {

// SplitMix64, each output as 8 little-endian bytes.
inline std::string SplitMixBytes(uint64_t seed, size_t bytes) {
  std::string out(bytes, '\0');
  uint64_t state = seed;
  for (size_t at = 0; at < bytes; at += 8) {
    state += 0x9E3779B97F4A7C15;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    std::memcpy(out.data() + at, &z, bytes - at < 8 ? bytes - at : 8);
  }
  return out;
}

// "line 0 the quick brown fox\n" and so on.
inline std::string TextRows(int rows) {
  std::string out;
  for (int i = 0; i < rows; ++i) out += "line " + std::to_string(i) + " the quick brown fox\n";
  return out;
}

// Numbers like trained weights: small floats whose high bytes repeat and whose low bytes do not.
inline std::string SmallFloats(uint64_t seed, size_t count) {
  std::string random = SplitMixBytes(seed, count * 8);
  std::string out(count * 4, '\0');
  for (size_t i = 0; i < count; ++i) {
    uint64_t bits;
    std::memcpy(&bits, random.data() + i * 8, 8);
    float value = static_cast<float>((static_cast<double>(bits >> 40) / 16777216.0 - 0.5) * 0.1);
    std::memcpy(out.data() + i * 4, &value, 4);
  }
  return out;
}

// bfloat16 weights as a fresh layer has them: normally distributed (Box-Muller), deviation 0.02.
inline std::string NormalWeights(uint64_t seed, size_t count) {
  std::string random = SplitMixBytes(seed, count * 8);
  std::string out(count * 2, '\0');
  for (size_t i = 0; i < count; ++i) {
    uint32_t words[2];
    std::memcpy(words, random.data() + i * 8, 8);
    double radius = std::sqrt(-2 * std::log((words[0] + 1.0) * 0x1p-32));
    auto value = static_cast<float>(0.02 * radius * std::cos(words[1] * (0x1p-31 * M_PI)));
    std::memcpy(out.data() + i * 2, reinterpret_cast<const char*>(&value) + 2, 2);
  }
  return out;
}

}  // namespace hearth::storage::internal

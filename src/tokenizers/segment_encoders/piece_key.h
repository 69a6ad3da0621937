// The bytes of a short piece of text as two numbers, and their hash.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth::tokenizers {

// A piece of at most 16 bytes without U+0000, padded with zeros: no two such pieces are equal.
struct PieceKey {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const PieceKey&) const = default;
};
constexpr size_t kPieceKeyBytes = 16;

// Multiply-shift over both halves; the high bits are good. Nothing depends on it against an
// adversary: every table bounds its probes.
constexpr uint64_t kHashLow = 0x9E3779B97F4A7C15u;
constexpr uint64_t kHashHigh = 0xD6E8FEB86659FD93u;
inline uint64_t HashKey(uint64_t low, uint64_t high) {
  return low * kHashLow + (high ^ (low >> 32)) * kHashHigh;
}

}  // namespace hearth::tokenizers

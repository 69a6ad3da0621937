#include "tensor/internal/codebooks.h"

#include <cstddef>

namespace hearth::tensor::internal {
namespace {

// clang-format off
#include "tensor/internal/codebooks.inc"
// clang-format on

constexpr uint8_t kIq2Letters[4] = {0x08, 0x19, 0x2B, 0};
constexpr uint8_t kIq1Letters[4] = {0xF8, 0, 8, 0};  // -8, 0, 8: eighths
constexpr uint8_t kIq3XxsLetters[8] = {0x04, 0x0C, 0x14, 0x1C, 0x24, 0x2C, 0x34, 0x3E};
constexpr uint8_t kIq3SLetters[8] = {1, 3, 5, 7, 9, 11, 13, 15};

template <typename Entry, int kCount>
void Spell(const uint16_t (&words)[kCount], const uint8_t* letters, Entry (&out)[kCount]) {
  constexpr int kBits = sizeof(Entry) == 8 ? 2 : 3;
  for (int i = 0; i < kCount; ++i) {
    Entry entry = 0;
    for (size_t value = 0; value < sizeof(Entry); ++value) {
      Entry letter = letters[(words[i] >> (kBits * value)) & ((1 << kBits) - 1)];
      entry |= letter << (8 * value);
    }
    out[i] = entry;
  }
}

GridTables MakeGrids() {
  GridTables grids;
  Spell(kIq2Xxs, kIq2Letters, grids.iq2xxs);
  Spell(kIq2Xs, kIq2Letters, grids.iq2xs);
  Spell(kIq2S, kIq2Letters, grids.iq2s);
  Spell(kIq1S, kIq1Letters, grids.iq1s);
  Spell(kIq3Xxs, kIq3XxsLetters, grids.iq3xxs);
  Spell(kIq3S, kIq3SLetters, grids.iq3s);
  return grids;
}

constexpr std::array<uint64_t, 256> MakeSignMasks() {
  std::array<uint64_t, 256> masks{};
  for (uint64_t signs = 0; signs < 256; ++signs) {
    for (int bit = 0; bit < 8; ++bit) {
      if ((signs >> bit) & 1) masks[signs] |= uint64_t{0xFF} << (8 * bit);
    }
  }
  return masks;
}

}  // namespace

constexpr std::array<uint64_t, 256> kSignMasks = MakeSignMasks();

const GridTables& Grids() {
  static const GridTables grids = MakeGrids();
  return grids;
}

}  // namespace hearth::tensor::internal

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "tensor/blocks.h"
#include "tensor/float_formats.h"
#include "tensor/kernels/pack_panels.h"

namespace hearth::tensor::internal {
namespace {

// The panel's rows as fp32, one after another; missing rows are zeros.
std::vector<float> Rows(const PanelRows& source) {
  std::vector<float> values(uint64_t{kPanel} * source.columns);
  for (uint32_t o = 0; o < kPanel; ++o) {
    if (source.rows[o] == nullptr) continue;
    const uint64_t bytes = BlockBytes(source.types[o], source.columns);
    Dequantize(source.types[o], {source.rows[o], bytes},
               {values.data() + uint64_t{o} * source.columns, source.columns});
  }
  return values;
}

// Values of 4 bytes from rows to steps of 16 outputs. Steps go in blocks, so that what is written
// stays in the first cache until all outputs have been.
void InterleaveWords(const PanelRows& source, uint64_t words, uint8_t* panel) {
  constexpr uint64_t kBlock = 64;
  for (uint64_t begin = 0; begin < words; begin += kBlock) {
    const uint64_t end = std::min(words, begin + kBlock);
    for (uint32_t o = 0; o < kPanel; ++o) {
      const uint8_t* row = source.rows[o];
      for (uint64_t k = begin; k < end; ++k) {
        uint32_t word = 0;
        if (row != nullptr) std::memcpy(&word, row + 4 * k, 4);
        std::memcpy(panel + k * kStepBytes + 4 * o, &word, 4);
      }
    }
  }
}

bool AllOfType(const PanelRows& source, BlockType type) {
  for (uint32_t o = 0; o < kPanel; ++o) {
    if (source.rows[o] != nullptr && source.types[o] != type) return false;
  }
  return true;
}

float LargestMagnitude(const float* values, uint32_t count) {
  float largest = 0;
  for (uint32_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs(values[i]));
  return largest;
}

uint8_t StoredInt8(float value, float steps) {
  const float scaled = std::nearbyint(value * steps);
  const float clamped = scaled > -127 ? std::min(scaled, 127.0f) : -127.0f;
  return static_cast<uint8_t>(static_cast<int>(clamped) + 128);
}

}  // namespace

void PackFloatPanel(const PanelRows& source, uint8_t* panel) {
  if (AllOfType(source, BlockType::kF32)) return InterleaveWords(source, source.columns, panel);
  const std::vector<float> values = Rows(source);
  auto* out = reinterpret_cast<float*>(panel);
  for (uint32_t o = 0; o < kPanel; ++o) {
    const float* row = values.data() + uint64_t{o} * source.columns;
    for (uint64_t k = 0; k < source.columns; ++k) out[k * kPanel + o] = row[k];
  }
}

void PackBf16Panel(const PanelRows& source, uint8_t* panel) {
  if (source.columns % 2 == 0 && AllOfType(source, BlockType::kBf16)) {
    return InterleaveWords(source, source.columns / 2, panel);
  }
  const std::vector<float> values = Rows(source);
  auto* out = reinterpret_cast<uint16_t*>(panel);
  std::memset(panel, 0, PanelBytes(Packing::kBf16, GroupForm::kNone, source.columns));
  for (uint32_t o = 0; o < kPanel; ++o) {
    const float* row = values.data() + uint64_t{o} * source.columns;
    for (uint64_t k = 0; k < source.columns; ++k) {
      out[k / 2 * 2 * kPanel + 2 * o + k % 2] = FloatToBf16(row[k]);
    }
  }
}

void PackInt8Panel(const PanelRows& source, uint8_t* panel) {
  const std::vector<float> values = Rows(source);
  const uint64_t bytes = Steps(Packing::kInt8, source.columns) * kStepBytes;
  std::memset(panel, 128, bytes);  // zeros
  for (uint32_t o = 0; o < kPanel; ++o) {
    const float* row = values.data() + uint64_t{o} * source.columns;
    const float largest = LargestMagnitude(row, source.columns);
    const float scale = largest / 127, steps = largest > 1e-36f ? 127 / largest : 0;
    for (uint64_t k = 0; k < source.columns; ++k) {
      panel[k / 4 * kStepBytes + 4 * o + k % 4] = StoredInt8(row[k], steps);
    }
    std::memcpy(panel + bytes + o * sizeof(float), &scale, sizeof scale);
  }
}

}  // namespace hearth::tensor::internal

// Writing panels, one packing family per file. Each call writes the 16 outputs of one panel.
#pragma once

#include <array>
#include <cstdint>

#include "tensor/kernels/packed_layout.h"

namespace hearth::tensor::internal {

// Where the outputs of a panel come from: a row of some part each, null beyond the end.
struct PanelRows {
  uint32_t columns = 0;
  std::array<const uint8_t*, kPanel> rows = {};
  std::array<BlockType, kPanel> types = {};
};

// kF32, kBf16 and kInt8, from any type that can be dequantised.
void PackFloatPanel(const PanelRows& source, uint8_t* panel);
void PackBf16Panel(const PanelRows& source, uint8_t* panel);
void PackInt8Panel(const PanelRows& source, uint8_t* panel);

// How a block type's groups look; kNone where it has none in this packing. Plain types are
// quantised to the block type that QuantizedAs names first.
GroupForm FormOf(Packing packing, BlockType type);
// The block type that plain weights of `columns` columns take in a group packing.
BlockType QuantizedAs(Packing packing, uint64_t columns);
// All rows are of one block type with a form in this packing.
void PackGroupPanel(Packing packing, GroupForm form, const PanelRows& source, uint8_t* panel);

}  // namespace hearth::tensor::internal

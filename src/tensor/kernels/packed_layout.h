// How packed panels and rows lie in memory. The same in every tier, so that a cache on disk serves
// any machine; tiers differ only in how they read it.
//
// A panel holds kPanel outputs. Its inputs come in steps of 64 bytes, output by output:
//   kF32   1 input a step; kBf16 2; kInt8 4, then 16 fp32 scales at the panel's end.
//   groups a block of scales for one or more groups of 32 inputs, then the groups. A group has 8
//          steps of 4 inputs. Step s (0 to 3) and step s + 4 share 64 bytes, low and high nibble;
//          fifth bits follow as 64 bytes whose bit s belongs to step s; sixth and fifth as two
//          planes of 64 bytes with 2 bits a step, steps 0 to 3 and 4 to 7. kGroup8: 8 steps.
// Integers are stored unsigned: plus 128 (kInt8, kGroup8), 32 (kGroup6), 16 (kGroup5) or 8
// (kGroup4) where there is no minimum. The product of the offset with a row's sum is taken off
// again as an integer, so nothing is lost.
#pragma once

#include <cstdint>

#include "tensor/kernels/packed_matrix.h"

namespace hearth::tensor::internal {

constexpr uint32_t kPanel = 16;
constexpr uint32_t kStepBytes = 64;
constexpr uint32_t kGroupInputs = 32;

// Values of a group, by what their file holds.
enum class GroupForm : uint8_t {
  kNone,
  kHalf,         // fp16 d: d (q - offset). Blocks of 2 groups: [d][d]
  kHalfMinimum,  // fp16 d, m: d q + m. Blocks of 1 group: [d][m]
  kSuper,        // fp16 d, -dmin and 6-bit scale and minimum: blocks of 8 groups:
                 // [d][-dmin] then 8 x [16 scales][16 minimums]
  kSuperSixteen  // fp16 d and an int8 scale per 16 inputs: blocks of 8 groups:
                 // [d][32 unused] then 8 x [16 scales][16 scales]
};

constexpr int GroupBits(Packing packing) {
  switch (packing) {
    case Packing::kGroup8:
      return 8;
    case Packing::kGroup6:
      return 6;
    case Packing::kGroup5:
      return 5;
    case Packing::kGroup4:
      return 4;
    default:
      return 0;
  }
}

constexpr bool IsGroup(Packing packing) { return GroupBits(packing) != 0; }

constexpr uint32_t GroupsPerBlock(GroupForm form) {
  return form == GroupForm::kHalf ? 2 : form == GroupForm::kHalfMinimum ? 1 : 8;
}
constexpr uint32_t ScaleBytes(GroupForm form) {
  return form == GroupForm::kHalf || form == GroupForm::kHalfMinimum ? 64 : 64 + 8 * 32;
}
constexpr uint32_t GroupBytes(int bits) { return static_cast<uint32_t>(bits) * 64; }

constexpr uint64_t CeilDivide(uint64_t value, uint64_t by) { return (value + by - 1) / by; }

// Steps of a row for one of the packings without groups; kInt8 in fours, so that loops need no
// tail.
constexpr uint64_t Steps(Packing packing, uint32_t inputs) {
  if (packing == Packing::kF32) return inputs;
  if (packing == Packing::kBf16) return CeilDivide(inputs, 2);
  return CeilDivide(inputs, 16) * 4;
}

constexpr uint64_t PanelBytes(Packing packing, GroupForm form, uint32_t inputs) {
  if (IsGroup(packing)) {
    const uint64_t groups = CeilDivide(inputs, kGroupInputs), per_block = GroupsPerBlock(form);
    return CeilDivide(groups, per_block) *
           (ScaleBytes(form) + per_block * GroupBytes(GroupBits(packing)));
  }
  return Steps(packing, inputs) * kStepBytes + (packing == Packing::kInt8 ? 64 : 0);
}

constexpr uint64_t Panels(uint64_t outputs, bool gated) {
  return gated ? 2 * CeilDivide(outputs / 2, kPanel) : CeilDivide(outputs, kPanel);
}

// The last one counts changes of the layout.
constexpr char kPackedMagic[8] = {'H', 'T', 'H', 'P', 'A', 'C', 'K', '1'};

// What stands before the panels in PackedMatrix::bytes().
struct PackedHeader {
  char magic[8];
  uint32_t inputs, outputs;
  Packing packing;
  GroupForm form;
  uint8_t gated;
  uint8_t zero[5];
  uint64_t panels_bytes;
  uint8_t reserved[32];
};
static_assert(sizeof(PackedHeader) == 64);

}  // namespace hearth::tensor::internal

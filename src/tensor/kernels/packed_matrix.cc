#include "tensor/kernels/packed_matrix.h"

#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/aligned_memory.h"
#include "base/error.h"
#include "tensor/kernels/matrix_packer.h"
#include "tensor/kernels/pack_panels.h"

namespace hearth::tensor {
namespace {

using internal::GroupForm;
using internal::kPanel;
using internal::PackedHeader;

bool IsPlain(BlockType type) { return InfoOf(type).block_elements == 1; }

bool KnownForm(Packing packing, GroupForm form) {
  switch (packing) {
    case Packing::kF32:
    case Packing::kBf16:
    case Packing::kInt8:
      return form == GroupForm::kNone;
    case Packing::kGroup8:
      return form == GroupForm::kHalf;
    case Packing::kGroup6:
      return form == GroupForm::kSuperSixteen;
    case Packing::kGroup5:
    case Packing::kGroup4:
      return form == GroupForm::kHalf || form == GroupForm::kHalfMinimum ||
             form == GroupForm::kSuper;
  }
  return false;
}

}  // namespace

Packing ChoosePacking(const WeightView& weight, Precision precision, Tier) {
  if (precision == Precision::kF32) return Packing::kF32;
  if (precision == Precision::kBf16) return Packing::kBf16;
  if (precision == Precision::kInt8) return Packing::kInt8;
  if (precision == Precision::kInt4 && IsPlain(weight.type)) return Packing::kGroup4;
  if (weight.type == BlockType::kBf16) return Packing::kBf16;
  for (Packing packing : {Packing::kGroup4, Packing::kGroup5, Packing::kGroup6, Packing::kGroup8}) {
    if (internal::FormOf(packing, weight.type) != GroupForm::kNone) return packing;
  }
  return Packing::kF32;
}

PackedMatrix PackedMatrix::Pack(std::span<const WeightView> parts, Packing packing, Tier tier) {
  return PackParts(parts, packing, tier, false);
}

PackedMatrix PackGated(const WeightView& gate, const WeightView& up, Packing packing, Tier tier) {
  const WeightView parts[] = {gate, up};
  return PackedMatrix::PackParts(parts, packing, tier, true);
}

PackedMatrix PackedMatrix::PackParts(std::span<const WeightView> parts, Packing packing, Tier tier,
                                     bool gated) {
  const MatrixPacker packer(parts, packing, gated);
  const std::shared_ptr<uint8_t[]> memory = AllocateAligned(packer.bytes());
  packer.WriteHead(memory.get());
  for (uint64_t panel = 0; panel < packer.panels(); ++panel) packer.PackPanel(panel, memory.get());
  return FromBytes({memory.get(), packer.bytes()}, tier, memory);
}

uint32_t PackedMatrix::padded_outputs() const {
  return static_cast<uint32_t>(internal::Panels(outputs_, gated_) * kPanel);
}

const uint8_t* PackedMatrix::PanelsFrom(uint32_t begin) const {
  return data_ +
         begin / kPanel * internal::PanelBytes(packing_, static_cast<GroupForm>(form_), inputs_);
}

PackedMatrix PackedMatrix::Plain(uint32_t begin, uint32_t end) const {
  PackedMatrix part = *this;
  part.data_ = PanelsFrom(begin);
  part.outputs_ = end - begin;
  part.panel_ = kPanel;
  part.gated_ = false;
  part.size_bytes_ = 0;
  return part;
}

std::span<const uint8_t> PackedMatrix::bytes() const {
  if (data_ == nullptr) return {};
  return {data_ - sizeof(PackedHeader), size_bytes_};
}

PackedMatrix PackedMatrix::FromBytes(std::span<const uint8_t> bytes, Tier tier,
                                     std::shared_ptr<const void> owner) {
  PackedHeader header;
  if (bytes.size() < sizeof header) {
    throw Error(Code::kInvalidArgument, "a packed matrix is cut short");
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, internal::kPackedMagic, sizeof header.magic) != 0 ||
      header.gated > 1 || !KnownForm(header.packing, header.form) || header.inputs == 0 ||
      header.outputs == 0 || (header.gated != 0 && header.outputs % 2 != 0)) {
    throw Error(Code::kInvalidArgument, "not a packed matrix of this program");
  }
  const uint64_t panel_bytes = internal::PanelBytes(header.packing, header.form, header.inputs);
  const uint64_t panels = internal::Panels(header.outputs, header.gated != 0),
                 have = bytes.size() - sizeof header;
  if (have != header.panels_bytes || have / panel_bytes != panels || have % panel_bytes != 0) {
    throw Error(Code::kInvalidArgument, "a packed matrix has the wrong size");
  }
  PackedMatrix matrix;
  matrix.inputs_ = header.inputs;
  matrix.outputs_ = header.outputs;
  matrix.panel_ = header.gated != 0 ? 2 * kPanel : kPanel;
  matrix.packing_ = header.packing;
  matrix.form_ = static_cast<uint8_t>(header.form);
  matrix.gated_ = header.gated != 0;
  matrix.tier_ = std::min(tier, CpuTier());
  matrix.data_ = bytes.data() + sizeof header;
  matrix.size_bytes_ = bytes.size();
  matrix.owner_ = std::move(owner);
  return matrix;
}

}  // namespace hearth::tensor

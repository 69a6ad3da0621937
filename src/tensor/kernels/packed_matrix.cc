#include "tensor/kernels/packed_matrix.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "base/error.h"
#include "tensor/blocks.h"
#include "tensor/kernels/pack_panels.h"

namespace hearth::tensor {
namespace {

using internal::GroupForm;
using internal::kPanel;
using internal::PackedHeader;
using internal::PanelRows;

constexpr char kMagic[8] = {'H', 'T', 'H', 'P', 'A', 'C', 'K', '1'};
constexpr uint64_t kHugePage = 2 << 20;

std::shared_ptr<uint8_t[]> Allocate(uint64_t bytes) {
  // Weights are read from end to end for every token: with 4 KB pages, address translation costs.
  const uint64_t alignment = bytes >= kHugePage ? kHugePage : 64;
  const uint64_t rounded = internal::CeilDivide(bytes, alignment) * alignment;
  auto* memory = static_cast<uint8_t*>(std::aligned_alloc(alignment, rounded));
  if (memory == nullptr) throw std::bad_alloc();
  if (alignment == kHugePage) madvise(memory, rounded, MADV_HUGEPAGE);
  return {memory, [](uint8_t* owned) { std::free(owned); }};
}

bool IsPlain(BlockType type) { return InfoOf(type).block_elements == 1; }

// A part as its groups will be read: plain weights quantised first, rows padded to whole blocks.
struct Part {
  WeightView view;
  std::vector<uint8_t> quantized;
};

Part QuantizedPart(const WeightView& weight, BlockType type) {
  const BlockTypeInfo& info = InfoOf(type);
  const uint64_t columns =
      internal::CeilDivide(weight.columns, info.block_elements) * info.block_elements;
  Part part{{weight.rows, columns, type, nullptr}, {}};
  const uint64_t row_bytes = part.view.row_bytes();
  part.quantized.resize(weight.rows * row_bytes);
  std::vector<float> row(columns);
  for (uint64_t r = 0; r < weight.rows; ++r) {
    Dequantize(weight.type, weight.Rows(r, 1).bytes(), {row.data(), weight.columns});
    Quantize(type, row, {part.quantized.data() + r * row_bytes, row_bytes});
  }
  part.view.data = part.quantized.data();
  return part;
}

std::vector<Part> PrepareParts(std::span<const WeightView> weights, Packing packing) {
  std::vector<Part> parts;
  for (const WeightView& weight : weights) {
    if (weight.columns == 0 || weight.rows == 0 || weight.columns != weights[0].columns ||
        weight.columns > UINT32_MAX) {
      throw Error(Code::kInvalidArgument, "weights packed together need equal columns");
    }
    if (!CanDequantize(weight.type)) {
      throw Error(Code::kUnimplemented,
                  std::string(InfoOf(weight.type).name) + " weights cannot be multiplied with");
    }
    const bool quantize = internal::IsGroup(packing) && IsPlain(weight.type);
    parts.push_back(quantize ? QuantizedPart(weight, internal::QuantizedAs(packing, weight.columns))
                             : Part{weight, {}});
  }
  if (parts.empty()) throw Error(Code::kInvalidArgument, "no weights to pack");
  return parts;
}

GroupForm CommonForm(const std::vector<Part>& parts, Packing packing) {
  if (!internal::IsGroup(packing)) return GroupForm::kNone;
  const GroupForm form = internal::FormOf(packing, parts[0].view.type);
  for (const Part& part : parts) {
    const GroupForm own = internal::FormOf(packing, part.view.type);
    if (own == GroupForm::kNone || own != form) {
      throw Error(Code::kUnimplemented, std::string(InfoOf(part.view.type).name) +
                                            " weights have no such packing, or not beside others");
    }
  }
  return form;
}

// Output `output` of the parts one after another; nothing beyond the end.
void PutRow(const std::vector<Part>& parts, uint64_t output, uint32_t at, PanelRows* rows) {
  for (const Part& part : parts) {
    if (output < part.view.rows) {
      rows->rows[at] = part.view.data + output * part.view.row_bytes();
      rows->types[at] = part.view.type;
      return;
    }
    output -= part.view.rows;
  }
}

PanelRows RowsOfPanel(const std::vector<Part>& parts, uint32_t columns, uint64_t panel,
                      bool gated) {
  PanelRows rows{columns, {}, {}};
  for (uint32_t o = 0; o < kPanel; ++o) {
    const uint64_t output = (gated ? panel / 2 : panel) * kPanel + o;
    if (!gated) {
      PutRow(parts, output, o, &rows);
    } else if (output < parts[0].view.rows) {
      PutRow(parts, output + panel % 2 * parts[0].view.rows, o, &rows);
    }
  }
  return rows;
}

void PackPanel(Packing packing, GroupForm form, const PanelRows& rows, uint8_t* out) {
  switch (packing) {
    case Packing::kF32:
      return internal::PackFloatPanel(rows, out);
    case Packing::kBf16:
      return internal::PackBf16Panel(rows, out);
    case Packing::kInt8:
      return internal::PackInt8Panel(rows, out);
    default:
      return internal::PackGroupPanel(packing, form, rows, out);
  }
}

uint64_t Panels(uint64_t outputs, bool gated) {
  return gated ? 2 * internal::CeilDivide(outputs / 2, kPanel)
               : internal::CeilDivide(outputs, kPanel);
}

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
  if (gate.rows != up.rows) {
    throw Error(Code::kInvalidArgument, "gate and up need equal shapes");
  }
  const WeightView parts[] = {gate, up};
  return PackedMatrix::PackParts(parts, packing, tier, true);
}

PackedMatrix PackedMatrix::PackParts(std::span<const WeightView> weights, Packing packing,
                                     Tier tier, bool gated) {
  const std::vector<Part> parts = PrepareParts(weights, packing);
  const GroupForm form = CommonForm(parts, packing);
  uint64_t outputs = 0;
  for (const Part& part : parts) outputs += part.view.rows;
  if (outputs > UINT32_MAX - 2 * kPanel) {
    throw Error(Code::kInvalidArgument, "too many outputs in one matrix");
  }
  PackedMatrix matrix;
  matrix.inputs_ = static_cast<uint32_t>(weights[0].columns);
  matrix.outputs_ = static_cast<uint32_t>(outputs);
  matrix.panel_ = gated ? 2 * kPanel : kPanel;
  matrix.packing_ = packing;
  matrix.form_ = static_cast<uint8_t>(form);
  matrix.gated_ = gated;
  matrix.tier_ = std::min(tier, CpuTier());
  const uint64_t panels = Panels(outputs, gated);
  const uint64_t panel_bytes = internal::PanelBytes(packing, form, matrix.inputs_);
  matrix.size_bytes_ = sizeof(PackedHeader) + panels * panel_bytes;
  matrix.owned_ = Allocate(matrix.size_bytes_);
  PackedHeader header = {};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.inputs = matrix.inputs_;
  header.outputs = matrix.outputs_;
  header.packing = packing;
  header.form = form;
  header.gated = gated;
  header.panels_bytes = panels * panel_bytes;
  std::memcpy(matrix.owned_.get(), &header, sizeof header);
  uint8_t* data = matrix.owned_.get() + sizeof header;
  matrix.data_ = data;
  for (uint64_t panel = 0; panel < panels; ++panel) {
    const PanelRows rows = RowsOfPanel(parts, matrix.inputs_, panel, gated);
    PackPanel(packing, form, rows, data + panel * panel_bytes);
  }
  return matrix;
}

uint32_t PackedMatrix::padded_outputs() const {
  return static_cast<uint32_t>(Panels(outputs_, gated_) * kPanel);
}

PackedMatrix PackedMatrix::Plain(uint32_t begin, uint32_t end) const {
  PackedMatrix part = *this;
  const uint64_t panel_bytes =
      internal::PanelBytes(packing_, static_cast<GroupForm>(form_), inputs_);
  part.data_ = data_ + begin / kPanel * panel_bytes;
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

PackedMatrix PackedMatrix::FromBytes(std::span<const uint8_t> bytes, Tier tier) {
  PackedHeader header;
  if (bytes.size() < sizeof header) {
    throw Error(Code::kInvalidArgument, "a packed matrix is cut short");
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.gated > 1 ||
      !KnownForm(header.packing, header.form) || header.inputs == 0 || header.outputs == 0 ||
      (header.gated != 0 && header.outputs % 2 != 0)) {
    throw Error(Code::kInvalidArgument, "not a packed matrix of this program");
  }
  const uint64_t panel_bytes = internal::PanelBytes(header.packing, header.form, header.inputs);
  const uint64_t panels = Panels(header.outputs, header.gated != 0),
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
  return matrix;
}

}  // namespace hearth::tensor

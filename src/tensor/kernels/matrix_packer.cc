#include "tensor/kernels/matrix_packer.h"

#include <cstring>
#include <string>

#include "base/error.h"
#include "tensor/blocks.h"
#include "tensor/kernels/pack_panels.h"

namespace hearth::tensor {
namespace {

using internal::GroupForm;
using internal::kPanel;
using internal::PanelRows;

bool IsPlain(BlockType type) { return InfoOf(type).block_elements == 1; }

void CheckParts(std::span<const WeightView> parts) {
  if (parts.empty()) throw Error(Code::kInvalidArgument, "no weights to pack");
  for (const WeightView& part : parts) {
    if (part.columns == 0 || part.rows == 0 || part.columns != parts[0].columns ||
        part.columns > UINT32_MAX) {
      throw Error(Code::kInvalidArgument, "weights packed together need equal columns");
    }
    if (!CanDequantize(part.type)) {
      throw Error(Code::kUnimplemented,
                  std::string(InfoOf(part.type).name) + " weights cannot be multiplied with");
    }
  }
}

// Output `output` of the parts one after another; nothing beyond the end.
void PutRow(std::span<const WeightView> parts, uint64_t output, uint32_t at, PanelRows* rows) {
  for (const WeightView& part : parts) {
    if (output < part.rows) {
      rows->rows[at] = part.data + output * part.row_bytes();
      rows->types[at] = part.type;
      return;
    }
    output -= part.rows;
  }
}

PanelRows RowsOfPanel(std::span<const WeightView> parts, uint64_t panel, bool gated) {
  PanelRows rows{static_cast<uint32_t>(parts[0].columns), {}, {}};
  for (uint32_t o = 0; o < kPanel; ++o) {
    const uint64_t output = (gated ? panel / 2 : panel) * kPanel + o;
    if (!gated) {
      PutRow(parts, output, o, &rows);
    } else if (output < parts[0].rows) {
      PutRow(parts, output + panel % 2 * parts[0].rows, o, &rows);
    }
  }
  return rows;
}

// Plain rows as blocks, padded to whole ones; the memory that they lie in is returned.
std::vector<uint8_t> QuantizeRows(BlockType type, PanelRows* rows) {
  const BlockTypeInfo& info = InfoOf(type);
  const uint64_t columns =
      internal::CeilDivide(rows->columns, info.block_elements) * info.block_elements;
  const uint64_t row_bytes = BlockBytes(type, columns);
  std::vector<uint8_t> blocks(kPanel * row_bytes);
  std::vector<float> row(columns);
  for (uint32_t o = 0; o < kPanel; ++o) {
    if (rows->rows[o] == nullptr) continue;
    if (!IsPlain(rows->types[o])) continue;
    Dequantize(rows->types[o], {rows->rows[o], BlockBytes(rows->types[o], rows->columns)},
               {row.data(), rows->columns});
    Quantize(type, row, {blocks.data() + o * row_bytes, row_bytes});
    rows->rows[o] = blocks.data() + o * row_bytes;
    rows->types[o] = type;
  }
  return blocks;
}

}  // namespace

MatrixPacker::MatrixPacker(std::span<const WeightView> parts, Packing packing, bool gated)
    : parts_(parts.begin(), parts.end()), packing_(packing), gated_(gated) {
  CheckParts(parts);
  if (gated && (parts.size() != 2 || parts[0].rows != parts[1].rows)) {
    throw Error(Code::kInvalidArgument, "gate and up need equal shapes");
  }
  uint64_t outputs = 0;
  for (const WeightView& part : parts) {
    outputs += part.rows;
    if (part.rows > UINT32_MAX || outputs > UINT32_MAX - 2 * kPanel) {
      throw Error(Code::kInvalidArgument, "too many outputs in one matrix");
    }
  }
  inputs_ = static_cast<uint32_t>(parts[0].columns);
  outputs_ = static_cast<uint32_t>(outputs);
  quantized_type_ = internal::QuantizedAs(packing, inputs_);
  for (size_t i = 0; i < parts.size() && internal::IsGroup(packing); ++i) {
    const bool quantize = IsPlain(parts[i].type);
    const GroupForm form = internal::FormOf(packing, quantize ? quantized_type_ : parts[i].type);
    if (i == 0) form_ = form;
    if (form == GroupForm::kNone || form != form_) {
      throw Error(Code::kUnimplemented, std::string(InfoOf(parts[i].type).name) +
                                            " weights have no such packing, or not beside others");
    }
    quantizes_ |= quantize;
  }
  panels_ = internal::Panels(outputs, gated);
  panel_bytes_ = internal::PanelBytes(packing, form_, inputs_);
}

void MatrixPacker::WriteHead(uint8_t* matrix) const {
  internal::PackedHeader header = {};
  std::memcpy(header.magic, internal::kPackedMagic, sizeof header.magic);
  header.inputs = inputs_;
  header.outputs = outputs_;
  header.packing = packing_;
  header.form = form_;
  header.gated = gated_;
  header.panels_bytes = panels_ * panel_bytes_;
  std::memcpy(matrix, &header, sizeof header);
}

void MatrixPacker::PackPanel(uint64_t panel, uint8_t* matrix) const {
  uint8_t* out = matrix + sizeof(internal::PackedHeader) + panel * panel_bytes_;
  PanelRows rows = RowsOfPanel(parts_, panel, gated_);
  std::vector<uint8_t> blocks;
  if (quantizes_) blocks = QuantizeRows(quantized_type_, &rows);
  switch (packing_) {
    case Packing::kF32:
      return internal::PackFloatPanel(rows, out);
    case Packing::kBf16:
      return internal::PackBf16Panel(rows, out);
    case Packing::kInt8:
      return internal::PackInt8Panel(rows, out);
    default:
      return internal::PackGroupPanel(packing_, form_, rows, out);
  }
}

}  // namespace hearth::tensor

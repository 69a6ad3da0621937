// Packs one matrix panel by panel, so that threads share the work and the caller says where the
// bytes go.
//
// The parts are the rows of several weights with equal columns, one after another (q, k, v); gated:
// two of equal shape whose panels alternate. Sizes need only the parts' shapes and types; their
// bytes are read by PackPanel and must live until then. Immutable: use from any number of threads.
// Errors: as PackedMatrix::Pack; PackPanel throws kInvalidArgument for values that have no block
// form.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/kernels/packed_layout.h"
#include "tensor/kernels/packed_matrix.h"

namespace hearth::tensor {

class MatrixPacker {
 public:
  MatrixPacker(std::span<const WeightView> parts, Packing packing, bool gated);

  uint32_t inputs() const { return inputs_; }
  uint32_t outputs() const { return outputs_; }
  Packing packing() const { return packing_; }
  bool gated() const { return gated_; }
  // Of the whole, as PackedMatrix::bytes() gives it.
  uint64_t bytes() const { return sizeof(internal::PackedHeader) + panels_ * panel_bytes_; }
  uint64_t panels() const { return panels_; }

  // `matrix` has bytes() bytes and starts at a multiple of 64. It is complete once its head and
  // each panel have been written, in any order.
  void WriteHead(uint8_t* matrix) const;
  void PackPanel(uint64_t panel, uint8_t* matrix) const;

 private:
  std::vector<WeightView> parts_;
  Packing packing_;
  internal::GroupForm form_ = internal::GroupForm::kNone;
  bool gated_;
  bool quantizes_ = false;  // plain weights, to the block type below
  BlockType quantized_type_ = BlockType::kF32;
  uint32_t inputs_ = 0, outputs_ = 0;
  uint64_t panels_ = 0, panel_bytes_ = 0;
};

}  // namespace hearth::tensor

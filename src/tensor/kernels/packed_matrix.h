// Linear layers on the CPU: weights repacked into panels for the machine's instructions, and the
// products of many rows with them.
//
// A panel is some outputs (as many as a vector holds) with their inputs interleaved, so that one
// load feeds one multiply-add of every output. Kinds:
//   kF32    fp32 panels.
//   kBf16   bf16 pairs; vdpbf16ps where the machine has it, else widened to fp32.
//   kInt8   one scale per output, activations quantised per row to int8: the fastest, for encoders.
//   kGroup8, kGroup6, kGroup5, kGroup4   groups of 32 (16) inputs with their own scale (and
//   minimum): a GGUF
//           block type goes over without loss; activations are int8 per group of 32.
// Stated error: kInt8 and kGroup* differ from fp32 by the rounding of the activations (at most
// 1/254 of the largest value of a row or group) beside that of the weights; kF32 by the order of
// sums, of n inputs at most n u sum|x w| (u = 2^-24), and from 96 rows on, where sums of rows and
// of weights are multiplied (matmul_winograd.inc), at most 4.5 (n/2 + 6) n u max|x| max|w|, x of
// two rows whose magnitudes differ by no more than 8; kBf16 by rounding both to 8 bits of mantissa.
//
// PackedMatrix is immutable after Pack and may be shared by threads; PackedRows belongs to a
// caller.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/aligned_memory.h"
#include "base/cpu.h"
#include "tensor/ops.h"
#include "tensor/weights.h"

namespace hearth::tensor {

enum class Packing : uint8_t { kF32, kBf16, kInt8, kGroup8, kGroup6, kGroup5, kGroup4 };

// What the caller wants; kNative keeps a block type's values exactly (fp32 and 16-bit floats: kBf16
// or kF32, whichever loses nothing).
enum class Precision : uint8_t { kF32, kBf16, kInt8, kInt4, kNative };

// The packing for a weight under a precision, on this machine.
Packing ChoosePacking(const WeightView& weight, Precision precision, Tier tier);

class PackedMatrix {
 public:
  // Packs the rows of several weights with equal columns one after another as one matrix (q, k, v;
  // gate and up). Throws kUnimplemented where a type has no such packing, or the parts' groups are
  // not of one kind (Q4_0 and Q4_K); kInvalidArgument when columns differ or are none.
  static PackedMatrix Pack(std::span<const WeightView> parts, Packing packing, Tier tier);

  // The packed bytes, for a cache on disk. FromBytes borrows them (a mapped file), keeps their
  // owner where one is given, checks all sizes and throws kInvalidArgument when they are not what
  // this program writes.
  std::span<const uint8_t> bytes() const;
  static PackedMatrix FromBytes(std::span<const uint8_t> bytes, Tier tier,
                                std::shared_ptr<const void> owner = nullptr);

  uint32_t inputs() const { return inputs_; }
  uint32_t outputs() const { return outputs_; }
  Packing packing() const { return packing_; }
  Tier tier() const { return tier_; }
  // Outputs per panel: parts of the work are cut at its multiples. Of a gated matrix, a pair's.
  uint32_t panel() const { return panel_; }
  bool gated() const { return gated_; }
  // Outputs with those that fill the last panels up.
  uint32_t padded_outputs() const;
  // Outputs [begin, end) (multiples of panel(), or the end) as a matrix of their own, sharing the
  // memory. Of a gated one a plain matrix: gate's panel, then up's, in turns, the padding included.
  PackedMatrix Plain(uint32_t begin, uint32_t end) const;
  // What a group holds; opaque to callers.
  uint8_t form() const { return form_; }
  const uint8_t* panels() const { return data_; }
  // From output `begin` on, a multiple of panel().
  const uint8_t* PanelsFrom(uint32_t begin) const;

 private:
  friend PackedMatrix PackGated(const WeightView& gate, const WeightView& up, Packing packing,
                                Tier tier);
  static PackedMatrix PackParts(std::span<const WeightView> parts, Packing packing, Tier tier,
                                bool gated);

  uint32_t inputs_ = 0, outputs_ = 0, panel_ = 0;
  Packing packing_ = Packing::kF32;
  uint8_t form_ = 0;
  bool gated_ = false;
  Tier tier_ = Tier::kPortable;
  const uint8_t* data_ = nullptr;
  std::shared_ptr<const void> owner_;  // of the bytes; null when borrowed
  uint64_t size_bytes_ = 0;
};

// Rows of activations in the form that a packing multiplies with. Made once per input of several
// products. Memory is kept between uses.
class PackedRows {
 public:
  // Sizes it for `rows` rows of `columns` fp32 values for a packing; then Fill parts from any
  // thread.
  void Prepare(Packing packing, Tier tier, uint64_t rows, uint32_t columns);
  // Converts rows [begin, end) of x (row stride `stride` floats).
  void Fill(const float* x, uint64_t stride, uint64_t begin, uint64_t end);

  // fp32 rows as they lie, `stride` floats apart: packing kF32 without a copy. They must stay as
  // they are while products use them. No Prepare or Fill after this.
  static PackedRows Borrow(const float* x, uint64_t stride, uint64_t rows, uint32_t columns,
                           Tier tier);

  uint64_t rows() const { return rows_; }
  uint32_t columns() const { return columns_; }
  Packing packing() const { return packing_; }
  Tier tier() const { return tier_; }
  // Starts at a multiple of 64 bytes unless borrowed.
  const uint8_t* data() const {
    return borrowed_ != nullptr ? reinterpret_cast<const uint8_t*>(borrowed_) : data_.data();
  }
  // Bytes between rows that were borrowed, else 0.
  uint64_t borrowed_stride() const { return borrowed_stride_; }

 private:
  Packing packing_ = Packing::kF32;
  Tier tier_ = Tier::kPortable;
  uint64_t rows_ = 0;
  uint32_t columns_ = 0;
  ScratchMemory data_;
  const float* borrowed_ = nullptr;
  uint64_t borrowed_stride_ = 0;
};

// What happens to a product before it is stored: y = activation(x W^T + bias) [* gate's partner] +
// residual.
struct Epilogue {
  const float* bias = nullptr;  // of `outputs` values; gated: gate's, then up's
  Activation activation = Activation::kNone;
  const float* residual = nullptr;  // rows of `out`'s shape and stride; may be `out` itself
  // The matrix holds gate and up parts interleaved panel by panel (PackGated): out has outputs / 2
  // columns, activation(gate) * up. Ranges still count the matrix's outputs: [begin, end) becomes
  // columns [begin / 2, end / 2).
  bool gated = false;
};

// Gate and up with their panels alternating, for Epilogue::gated. Equal shapes.
PackedMatrix PackGated(const WeightView& gate, const WeightView& up, Packing packing, Tier tier);

// Outputs [begin, end) (multiples of panel(), or the end) of all rows. `out` has `stride` floats a
// row. Threads call it with disjoint ranges. Throws kInvalidArgument when rows were not prepared
// for the matrix's packing, tier and inputs, or a range is none.
void Multiply(const PackedMatrix& matrix, const PackedRows& rows, uint32_t begin, uint32_t end,
              const Epilogue& epilogue, float* out, uint64_t stride);
// The same for rows [row_begin, row_end) only. `next`: the panels of the product that the thread
// comes to afterwards, which are brought into its cache meanwhile; null: those behind this range.
void Multiply(const PackedMatrix& matrix, const PackedRows& rows, uint64_t row_begin,
              uint64_t row_end, uint32_t begin, uint32_t end, const Epilogue& epilogue, float* out,
              uint64_t stride, const uint8_t* next = nullptr);

}  // namespace hearth::tensor

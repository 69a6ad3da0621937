// The table of kernels that a set of instructions fills, and what one call of it works on.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cpu.h"
#include "tensor/kernels/packed_layout.h"

namespace hearth::tensor::internal {

// Packed rows, seen from row 0. `scales` and the rest have `per_row` entries a row (1 for kInt8,
// groups else); offsets twice as many for kGroup6, whose scales stand for 16 inputs.
struct RowsView {
  const uint8_t* values = nullptr;
  uint64_t stride = 0;               // bytes
  const float* scales = nullptr;     // what an int8 value is worth
  const int32_t* offsets = nullptr;  // - (stored weight's offset) * (sum of the int8 values)
  const float* sums = nullptr;       // scale * (sum of the int8 values), for minimums
  uint64_t per_row = 0, offsets_per_row = 0;
};

struct MatmulCall {
  const uint8_t* panels = nullptr;
  uint64_t panel_bytes = 0;
  uint32_t inputs = 0;
  uint32_t columns = 0;  // of `out` in all; the last panel may reach beyond
  GroupForm form = GroupForm::kNone;
  RowsView rows;
  uint64_t row_begin = 0, row_end = 0;
  uint32_t panel_begin = 0, panel_end = 0;  // gated: even numbers, gate and up alternating
  const uint8_t* next = nullptr;  // panels of the thread's next product; null: what follows these
  const Epilogue* epilogue = nullptr;
  float* out = nullptr;
  uint64_t out_stride = 0;
};

// Where the conversions of a row write; `scales` and the rest as in RowsView, at this row.
struct RowTarget {
  uint8_t* values;
  uint64_t stride;
  float* scales;
  int32_t* offsets;
  float* sums;
};

struct MatmulKernels {
  const char* name;
  // Rows of kBf16 are bf16 (true) or fp32.
  bool bf16_rows;
  void (*multiply[7])(const MatmulCall& call);  // by Packing
  void (*fill_int8)(const float* x, uint32_t columns, const RowTarget& target);
  void (*fill_groups)(Packing packing, const float* x, uint32_t columns, const RowTarget& target);
  void (*fill_bf16)(const float* x, uint32_t columns, const RowTarget& target);  // of bf16_rows
};

const MatmulKernels& PortableMatmul();
const MatmulKernels& Avx2Matmul();
const MatmulKernels& Avx512Matmul();
const MatmulKernels& VnniMatmul();
// The last two with bf16 products of the machine.
const MatmulKernels& Bf16Matmul();
// Those with int8 and bf16 by tiles of AMX; nullptr where the machine or the kernel of the system
// has none, or its products are wrong. The emulated ones, for tests, need what Bf16Matmul needs.
const MatmulKernels* UsableAmxMatmul();
const MatmulKernels& EmulatedAmxMatmul();
// The check before AMX is used: the same int8 products to the bit, near bf16 ones.
bool AgreesWithBf16(const MatmulKernels& kernels);

// The best of this machine within a tier.
const MatmulKernels& MatmulFor(Tier tier);
// All that this machine can run, for tests.
std::vector<const MatmulKernels*> SupportedMatmul();

// Memory of this thread for unpacked panels, 64-byte aligned; valid until the next call.
uint8_t* MatmulScratch(uint64_t bytes);

}  // namespace hearth::tensor::internal

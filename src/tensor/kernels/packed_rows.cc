// Rows beside each other, padded to whole steps of their packing, then what belongs to each row or
// group: scales, offsets, sums (RowsView).
#include <cstring>

#include "base/error.h"
#include "tensor/float_formats.h"
#include "tensor/kernels/rows_layout.h"

namespace hearth::tensor {

namespace internal {

RowsLayout LayoutOfRows(Packing packing, bool bf16_rows, uint64_t rows, uint32_t columns) {
  RowsLayout layout;
  uint64_t bytes = 0;
  if (packing == Packing::kF32) bytes = uint64_t{columns} * 4;
  if (packing == Packing::kBf16) bytes = CeilDivide(columns, 2) * (bf16_rows ? 4 : 8);
  if (packing == Packing::kInt8) bytes = Steps(packing, columns) * 4;
  if (IsGroup(packing)) bytes = CeilDivide(columns, kGroupInputs) * kGroupInputs;
  layout.stride = CeilDivide(bytes, 64) * 64;
  // Rows a multiple of 512 bytes apart would fall into few sets of the first cache.
  if (layout.stride % 512 == 0) layout.stride += 64;
  if (packing == Packing::kInt8) layout.per_row = layout.offsets_per_row = 1;
  if (IsGroup(packing)) {
    layout.per_row = CeilDivide(columns, kGroupInputs);
    layout.offsets_per_row = packing == Packing::kGroup6 ? 2 * layout.per_row : layout.per_row;
  }
  layout.scales_at = rows * layout.stride;
  layout.offsets_at = layout.scales_at + rows * layout.per_row * sizeof(float);
  layout.sums_at = layout.offsets_at + rows * layout.offsets_per_row * sizeof(int32_t);
  layout.bytes = layout.sums_at + rows * layout.per_row * sizeof(float);
  return layout;
}

RowsView ViewOf(const uint8_t* data, const RowsLayout& layout) {
  RowsView view;
  view.values = data;
  view.stride = layout.stride;
  view.scales = reinterpret_cast<const float*>(data + layout.scales_at);
  view.offsets = reinterpret_cast<const int32_t*>(data + layout.offsets_at);
  view.sums = reinterpret_cast<const float*>(data + layout.sums_at);
  view.per_row = layout.per_row;
  view.offsets_per_row = layout.offsets_per_row;
  return view;
}

RowsView ViewOf(const PackedRows& rows, const MatmulKernels& kernels) {
  RowsView view = ViewOf(
      rows.data(), LayoutOfRows(rows.packing(), kernels.bf16_rows, rows.rows(), rows.columns()));
  if (rows.borrowed_stride() != 0) view.stride = rows.borrowed_stride();
  return view;
}

}  // namespace internal

void PackedRows::Prepare(Packing packing, Tier tier, uint64_t rows, uint32_t columns) {
  packing_ = packing;
  tier_ = std::min(tier, CpuTier());
  rows_ = rows;
  columns_ = columns;
  const bool bf16_rows = internal::MatmulFor(tier_).bf16_rows;
  data_.Reserve(internal::LayoutOfRows(packing, bf16_rows, rows, columns).bytes);
}

PackedRows PackedRows::Borrow(const float* x, uint64_t stride, uint64_t rows, uint32_t columns,
                              Tier tier) {
  PackedRows lent;
  lent.tier_ = std::min(tier, CpuTier());
  lent.rows_ = rows;
  lent.columns_ = columns;
  lent.borrowed_ = x;
  lent.borrowed_stride_ = stride * sizeof(float);
  return lent;
}

void PackedRows::Fill(const float* x, uint64_t stride, uint64_t begin, uint64_t end) {
  const internal::MatmulKernels& kernels = internal::MatmulFor(tier_);
  internal::FillRows(kernels, packing_, {x, stride, columns_}, begin, end,
                     internal::LayoutOfRows(packing_, kernels.bf16_rows, rows_, columns_),
                     data_.data());
}

namespace internal {
namespace {

void FillFloats(const float* x, uint32_t columns, uint8_t* out, uint64_t bytes) {
  const uint64_t used = uint64_t{columns} * sizeof(float);
  std::memcpy(out, x, used);
  std::memset(out + used, 0, bytes - used);
}

}  // namespace

void FillRows(const MatmulKernels& kernels, Packing packing, const FloatRows& x, uint64_t begin,
              uint64_t end, const RowsLayout& layout, uint8_t* data) {
  for (uint64_t r = begin; r < end; ++r) {
    const float* row = x.values + r * x.stride;
    const RowTarget target = {
        data + r * layout.stride, layout.stride,
        reinterpret_cast<float*>(data + layout.scales_at) + r * layout.per_row,
        reinterpret_cast<int32_t*>(data + layout.offsets_at) + r * layout.offsets_per_row,
        reinterpret_cast<float*>(data + layout.sums_at) + r * layout.per_row};
    if (packing == Packing::kInt8) {
      kernels.fill_int8(row, x.columns, target);
    } else if (IsGroup(packing)) {
      kernels.fill_groups(packing, row, x.columns, target);
    } else if (packing == Packing::kBf16 && kernels.bf16_rows) {
      kernels.fill_bf16(row, x.columns, target);
    } else {
      FillFloats(row, x.columns, target.values, layout.stride);
    }
  }
}

}  // namespace internal
}  // namespace hearth::tensor

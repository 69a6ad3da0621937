// Products of batches in which some rows have an adapter.
//
// First x A^T of these rows, then the product with (x A^T) B^T added by the member that has the
// tile. Where an activation or a gate is part of the product, the sum has to come before it: rows
// with an adapter are then computed without it, in pieces of the outputs that stay in a core's
// cache, so that the weights are read from memory once for all rows.
#include <algorithm>
#include <utility>

#include "tensor/cpu/session.h"

namespace hearth::tensor {
namespace {

// Panels of a piece: 128 outputs of some thousand inputs fit into an L2 cache.
constexpr uint32_t kPiecePanels = 4;

}  // namespace

std::vector<CpuSession::AdaptedPart> CpuSession::AdaptedParts(const Step& step) const {
  std::vector<AdaptedPart> parts;
  for (const AdaptedRows& rows : adapted_[static_cast<size_t>(step.rows)]) {
    const CpuAdapter::Pair* pair = rows.adapter->Find(step.matrix);
    if (pair != nullptr) parts.push_back({rows.begin, rows.end, pair, {}});
  }
  return parts;
}

void CpuSession::RunAdapted(const Step& step, std::vector<AdaptedPart>& parts) {
  uint64_t rows = rows_[static_cast<size_t>(step.rows)];
  uint32_t widest = 0;
  for (AdaptedPart& part : parts) {
    widest = std::max(widest, part.pair->rank);
    part.narrow.Prepare(Packing::kF32, program_->tier(), part.end - part.begin, part.pair->rank);
  }
  float_rows_.Prepare(Packing::kF32, program_->tier(), rows,
                      program_->matrix(step.matrix).inputs());
  if (narrow_.size() < rows * widest) narrow_.resize(rows * widest);
  team_.Run([&](int member) { NarrowRows(step, parts, widest, member); });
  bool is_sum = step.activation == Activation::kNone && !step.gated;
  team_.Run([&](int member) {
    Tile tile = TileOf(step, member);
    if (tile.is_empty()) return;
    if (!is_sum) return ComputeTile(step, parts, tile);
    RunProduct(step, member);
    AddToTile(step, parts, tile);
  });
}

// `stride` is the widest rank: members write beside each other, whatever the ranks of their rows.
void CpuSession::NarrowRows(const Step& step, std::vector<AdaptedPart>& parts, uint32_t stride,
                            int member) {
  auto [first, last] = team_.Part(member, rows_[static_cast<size_t>(step.rows)]);
  for (AdaptedPart& part : parts) {
    uint64_t begin = std::max(first, part.begin), end = std::min(last, part.end);
    if (begin >= end) continue;
    uint32_t rank = part.pair->rank;
    float_rows_.Fill(At(step.in), Stride(step.in), begin, end);
    Multiply(part.pair->down, float_rows_, begin, end, 0, rank, {}, narrow_.data(), stride);
    part.narrow.Fill(narrow_.data() + part.begin * stride, stride, begin - part.begin,
                     end - part.begin);
  }
}

// For products whose result is the sum itself, perhaps with a residual.
void CpuSession::AddToTile(const Step& step, const std::vector<AdaptedPart>& parts,
                           const Tile& tile) {
  uint64_t stride = Stride(step.out);
  for (const AdaptedPart& part : parts) {
    uint64_t begin = std::max(tile.row_begin, part.begin), end = std::min(tile.row_end, part.end);
    if (begin >= end) continue;
    float* out = At(step.out) + part.begin * stride;
    Epilogue sum;
    sum.residual = out;
    Multiply(part.pair->up, part.narrow, begin - part.begin, end - part.begin, tile.begin, tile.end,
             sum, out, stride);
  }
}

void CpuSession::ComputeTile(const Step& step, const std::vector<AdaptedPart>& parts,
                             const Tile& tile) {
  const PackedMatrix& matrix = program_->matrix(step.matrix);
  PackedRows borrowed;
  const PackedRows& rows = RowsOf(step, &borrowed);
  std::vector<float> raw;
  for (uint32_t at = tile.begin; at < tile.end; at += kPiecePanels * matrix.panel()) {
    uint32_t end = std::min(at + kPiecePanels * matrix.panel(), tile.end);
    auto plain = [&](uint64_t from, uint64_t to) {
      if (from >= to) return;
      Multiply(matrix, rows, from, to, at, end, EpilogueOf(step), At(step.out), Stride(step.out));
    };
    uint64_t row = tile.row_begin;
    for (const AdaptedPart& part : parts) {
      Tile piece{std::max(row, part.begin), std::min(tile.row_end, part.end), at, end};
      if (piece.is_empty()) continue;
      plain(row, piece.row_begin);
      ComputeRows(step, part, piece, &raw);
      row = piece.row_end;
    }
    plain(row, tile.row_end);
  }
}

// The sums of a piece of the outputs go through activation, gate and residual here.
void CpuSession::ComputeRows(const Step& step, const AdaptedPart& part, const Tile& tile,
                             std::vector<float>* raw) {
  const PackedMatrix& matrix = program_->matrix(step.matrix);
  uint32_t end = tile.end;
  if (step.gated) end = (end + matrix.panel() - 1) / matrix.panel() * matrix.panel();
  uint32_t width = end - tile.begin;
  if (raw->size() < tile.row_end * width) raw->resize(tile.row_end * width);
  Epilogue epilogue = EpilogueOf(step), sum;
  epilogue.activation = Activation::kNone;
  epilogue.gated = false;
  const float* residual = std::exchange(epilogue.residual, nullptr);
  if (epilogue.bias != nullptr) epilogue.bias += tile.begin;
  PackedRows borrowed;
  Multiply(matrix.Plain(tile.begin, end), RowsOf(step, &borrowed), tile.row_begin, tile.row_end, 0,
           width, epilogue, raw->data(), width);
  float* sums = raw->data() + part.begin * width;
  sum.residual = sums;
  Multiply(part.pair->up.Plain(tile.begin, end), part.narrow, tile.row_begin - part.begin,
           tile.row_end - part.begin, 0, width, sum, sums, width);

  uint64_t stride = Stride(step.out);
  float* out = At(step.out) + tile.row_begin * stride;
  RowBlock block;
  block.x = raw->data() + tile.row_begin * width;
  block.x_stride = width;
  block.out = out + tile.begin;
  block.out_stride = stride;
  block.rows = tile.row_end - tile.row_begin;
  block.columns = width;
  block.tier = program_->tier();
  if (step.gated) {
    uint32_t panel = matrix.panel() / 2, columns = matrix.outputs() / 2;
    const float* gate = block.x;
    for (uint32_t at = 0; at < width; at += 2 * panel) {
      uint32_t column = (tile.begin + at) / 2;
      block.x = gate + at;
      block.out = out + column;
      block.columns = std::min(panel, columns - column);
      GateRows(block, gate + at + panel, width, step.activation);
    }
    return;
  }
  if (residual == nullptr) return ActivateRows(block, step.activation);
  // The residual may lie where the result goes.
  RowBlock inside = block;
  inside.out = raw->data() + tile.row_begin * width;
  inside.out_stride = width;
  ActivateRows(inside, step.activation);
  AddRows(block, residual + tile.row_begin * stride + tile.begin, stride);
}

}  // namespace hearth::tensor

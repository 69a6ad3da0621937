#include "tensor/cpu/adapter.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "tensor/op_checks.h"

namespace hearth::tensor {
namespace {

WeightView ViewOf(const std::vector<float>& values, uint64_t rows, uint64_t columns) {
  return {rows, columns, BlockType::kF32, reinterpret_cast<const uint8_t*>(values.data())};
}

// One layer of a product with its pair, if it has one.
struct Part {
  const LowRank* pair = nullptr;
  uint64_t outputs = 0;
  uint32_t first_rank = 0;  // its columns of the product's pair
};

// Where output `output` of the product stands among its parts, in the order of the panels.
std::pair<size_t, uint64_t> PlaceOf(const std::vector<Part>& parts, uint64_t output, bool gated,
                                    uint32_t panel) {
  if (gated) {
    uint64_t turn = output / (panel / 2);
    return {turn % 2, turn / 2 * (panel / 2) + output % (panel / 2)};
  }
  size_t part = 0;
  while (output >= parts[part].outputs) output -= parts[part++].outputs;
  return {part, output};
}

CpuAdapter::Pair MakePair(const PackedMatrix& matrix, const std::vector<Part>& parts,
                          uint32_t rank) {
  std::vector<float> down;
  for (const Part& part : parts) {
    if (part.pair != nullptr) down.insert(down.end(), part.pair->a.begin(), part.pair->a.end());
  }
  uint64_t outputs = matrix.gated() ? matrix.Plain(0, matrix.padded_outputs()).outputs()
                                    : uint64_t{matrix.outputs()};
  std::vector<float> up(outputs * rank);
  for (uint64_t output = 0; output < outputs; ++output) {
    auto [place, row] = PlaceOf(parts, output, matrix.gated(), matrix.panel());
    const Part& part = parts[place];
    if (part.pair == nullptr || row >= part.outputs) continue;
    for (uint32_t r = 0; r < part.pair->rank; ++r) {
      up[output * rank + part.first_rank + r] =
          part.pair->scale * part.pair->b[row * part.pair->rank + r];
    }
  }
  WeightView down_view = ViewOf(down, rank, matrix.inputs()), up_view = ViewOf(up, outputs, rank);
  return {PackedMatrix::Pack({&down_view, 1}, Packing::kF32, matrix.tier()),
          PackedMatrix::Pack({&up_view, 1}, Packing::kF32, matrix.tier()), rank};
}

}  // namespace

std::shared_ptr<const CpuAdapter> CpuAdapter::Make(const CpuProgram& program,
                                                   std::span<const LowRank> pairs) {
  std::map<int32_t, const LowRank*> by_weight;
  for (const LowRank& pair : pairs) {
    CheckLowRank(program.weights(), pair);
    by_weight[pair.weight.index] = &pair;
  }
  auto adapter = std::make_shared<CpuAdapter>();
  for (const Step& step : program.steps()) {
    if (step.kind != StepKind::kProduct) continue;
    std::vector<Part> parts;
    uint32_t rank = 0;
    for (Weight weight : program.weights_of(step.matrix)) {
      auto found = by_weight.find(weight.index);
      const LowRank* pair = found != by_weight.end() ? found->second : nullptr;
      parts.push_back({pair, program.weights().View(weight).rows, rank});
      if (pair != nullptr) rank += pair->rank;
    }
    if (rank > 0) {
      adapter->pairs_.emplace(step.matrix, MakePair(program.matrix(step.matrix), parts, rank));
    }
  }
  return adapter;
}

std::vector<AdaptedRows> FindAdaptedRows(const Batch& batch, RowSpace space,
                                         std::span<const CpuAdapter* const> adapters) {
  std::vector<AdaptedRows> runs;
  uint64_t output = 0;
  for (size_t i = 0; i < batch.segments.size(); ++i) {
    const Segment& segment = batch.segments[i];
    uint64_t token_end = uint64_t{segment.first_row} + segment.rows, first_output = output;
    while (output < batch.output_rows.size() && batch.output_rows[output] < token_end) ++output;
    if (segment.adapter < 0) continue;
    if (static_cast<size_t>(segment.adapter) >= adapters.size()) {
      throw Error(Code::kInvalidArgument, "a sequence names an adapter that is not there");
    }
    AdaptedRows rows{segment.first_row, token_end, adapters[segment.adapter]};
    if (space == RowSpace::kSegments) rows.begin = i, rows.end = i + 1;
    if (space == RowSpace::kOutputs) rows.begin = first_output, rows.end = output;
    if (rows.begin == rows.end) continue;
    if (!runs.empty() && runs.back().end == rows.begin && runs.back().adapter == rows.adapter) {
      runs.back().end = rows.end;
    } else {
      runs.push_back(rows);
    }
  }
  return runs;
}

}  // namespace hearth::tensor

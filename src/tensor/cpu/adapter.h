// Low-rank additions to the products of a program, for some of a batch's sequences.
//
// A layer W with a pair gives x W^T + scale (x A^T) B^T (LoRA). The weights of the program stay as
// they are: rows that belong to a sequence with an adapter get the narrow products on top, all
// others are computed as without any. A product of several fused layers has one pair, whose parts
// lie beside each other; layers without a pair have zeros there.
//
// An adapter belongs to the program that it was made for, is immutable and may be shared.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "tensor/cpu/program.h"
#include "tensor/executor.h"

namespace hearth::tensor {

class CpuAdapter {
 public:
  // Pairs of weights that the program has no product with are left out. Throws kInvalidArgument
  // for a pair of another shape than its weight.
  static std::shared_ptr<const CpuAdapter> Make(const CpuProgram& program,
                                                std::span<const LowRank> pairs);

  struct Pair {
    PackedMatrix down;  // [rank, inputs]
    PackedMatrix up;    // [the product's outputs in the order of its panels, rank]
    uint32_t rank = 0;  // of all parts together
  };
  // Of CpuProgram::matrix(index); nullptr where the adapter changes nothing.
  const Pair* Find(int32_t matrix) const {
    auto found = pairs_.find(matrix);
    return found != pairs_.end() ? &found->second : nullptr;
  }

 private:
  std::map<int32_t, Pair> pairs_;
};

// Rows [begin, end) of a row space that have an adapter.
struct AdaptedRows {
  uint64_t begin = 0, end = 0;
  const CpuAdapter* adapter = nullptr;
};
// In rising order, neighbours of one adapter together. Throws kInvalidArgument for a number of an
// adapter that is not there.
std::vector<AdaptedRows> FindAdaptedRows(const Batch& batch, RowSpace space,
                                         std::span<const CpuAdapter* const> adapters);

}  // namespace hearth::tensor

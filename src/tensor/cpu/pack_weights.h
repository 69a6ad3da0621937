// The matrices of a program: taken from the store when they are kept there, else packed by all
// threads into one piece of memory and kept for the next start.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "tensor/cpu/packed_store.h"
#include "tensor/kernels/packed_matrix.h"

namespace hearth::tensor {

// Linear layers that are one matrix: those of `parts`, one after another.
struct MatrixPlan {
  std::vector<Weight> parts;
  Packing packing = Packing::kF32;
  bool gated = false;
};

struct PackOptions {
  Tier tier = Tier::kPortable;
  int threads = 1;                                     // 0: one per core
  std::shared_ptr<const PackedStore> store = nullptr;  // may be null
};

struct PackedWeights {
  std::vector<PackedMatrix> matrices;
  bool from_store = false;
  // Writes what was packed to the store, on a thread of its own; its end waits for that.
  std::shared_ptr<const void> keeper;
};

// Errors: those of PackedMatrix::Pack.
PackedWeights PackWeights(std::span<const MatrixPlan> plans, const WeightSet& weights,
                          const PackOptions& options);

}  // namespace hearth::tensor

// What is asked for when a recorded graph is made ready to run, of any executor (executors.h).
#pragma once

#include <cstdint>
#include <memory>

#include "base/cpu.h"
#include "tensor/kernels/packed_matrix.h"

namespace hearth::tensor {

class PackedStore;  // cpu/packed_store.h

struct CompileOptions {
  Precision precision = Precision::kF32;  // of linear layers
  Tier tier = Tier::kPortable;            // CpuTier() in earnest
  // Linear layers with fewer outputs (a classifier's labels) stay in fp32.
  uint32_t min_packed_outputs = 32;
  int threads = 1;                                     // that pack; 0: one per core
  std::shared_ptr<const PackedStore> store = nullptr;  // of packed weights; null: none
};

}  // namespace hearth::tensor

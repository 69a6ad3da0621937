// The order of rows that a Transform asks for. Pure and thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/convert/architecture.h"

namespace hearth::convert {

// What a transform needs to know of the model.
struct RowParameters {
  uint64_t heads = 0;
  uint64_t kv_heads = 0;
  uint64_t skipped_positions = 0;
};

// For each row in GGUF the row of the checkpoint; empty when the order is the same. Throws
// kInvalidArgument when the rows are no multiple of the heads.
std::vector<uint64_t> CheckpointRows(Transform transform, uint64_t rows,
                                     const RowParameters& parameters);

}  // namespace hearth::convert

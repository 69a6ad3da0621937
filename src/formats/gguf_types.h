// Names and sizes of GGUF's tensor and file types, as numbered in ggml.h and llama.h.
// Pure and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth {

struct GgmlType {
  uint32_t id;
  std::string_view name;
  uint64_t block_elements;  // elements per block, along the innermost dimension
  uint64_t block_bytes;
};

// nullptr for a number that is not in the table.
const GgmlType* FindGgmlType(uint32_t id);

// "Q4_K_M" for 15; empty for a number that is not in the table. The bit 1024 ("guessed") is
// ignored.
std::string_view GgufFileTypeName(uint64_t file_type);

}  // namespace hearth

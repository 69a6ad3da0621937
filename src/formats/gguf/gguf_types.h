// Names of GGUF's file types, as numbered in llama.h, and the tensor types under the name that
// header readers know them by. Pure and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tensor/block_types.h"

namespace hearth {

using GgmlType = tensor::BlockTypeInfo;

// nullptr for a number that is not in the table.
inline const GgmlType* FindGgmlType(uint32_t id) { return tensor::FindBlockType(id); }

// "Q4_K_M" for 15; empty for a number that is not in the table. The bit 1024 ("guessed") is
// ignored.
std::string_view GgufFileTypeName(uint64_t file_type);
// 15 for "Q4_K_M".
std::optional<uint32_t> FindGgufFileType(std::string_view name);

}  // namespace hearth

// The tensor types of GGUF by number: plain ones and blocks of quantised values.
//
// A block holds `block_elements` consecutive values of one row in `block_bytes` bytes; rows of a
// tensor are whole blocks. Numbers, names and sizes as in ggml.h and ggml-common.h; numbers that
// the format has withdrawn (4, 5, 31-33, 36-38) are not in the table. Pure and thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace hearth::tensor {

enum class BlockType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ8_1 = 9,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kQ8_K = 15,
  kIq2Xxs = 16,
  kIq2Xs = 17,
  kIq3Xxs = 18,
  kIq1S = 19,
  kIq4Nl = 20,
  kIq3S = 21,
  kIq2S = 22,
  kIq4Xs = 23,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kIq1M = 29,
  kBf16 = 30,
  kTq1_0 = 34,
  kTq2_0 = 35,
  kMxfp4 = 39,
  kNvfp4 = 40,
  kQ1_0 = 41,
  kQ2_0 = 42,
};
constexpr uint32_t kBlockTypeNumbers = 43;  // one more than the largest

struct BlockTypeInfo {
  uint32_t id;
  std::string_view name;    // "Q4_K"
  uint64_t block_elements;  // 1 for plain types
  uint64_t block_bytes;
};

std::span<const BlockTypeInfo> BlockTypes();
// nullptr for a number or name that is not in the table.
const BlockTypeInfo* FindBlockType(uint32_t id);
const BlockTypeInfo* FindBlockType(std::string_view name);
const BlockTypeInfo& InfoOf(BlockType type);

}  // namespace hearth::tensor

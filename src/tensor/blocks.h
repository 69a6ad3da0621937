// Values of GGUF's quantised blocks to fp32 and back.
//
// Dequantising gives, bit for bit, what ggml and the gguf package compute; quantising gives the
// bytes of ggml's reference quantisers without importance matrix (measured by
// tests/parity/test_weights.py). Both hold in every tier of instructions: arithmetic is fp32 in the
// reference's order, nothing fused. Every function is pure and thread-safe; callers split rows over
// threads. Errors: kInvalidArgument when sizes are no whole blocks, kUnimplemented for a type that
// has no such conversion.
#pragma once

#include <cstdint>
#include <span>

#include "base/cpu.h"
#include "tensor/block_types.h"

namespace hearth::tensor {

// Every type of the table.
bool CanDequantize(BlockType type);
// F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K to Q6_K, IQ4_NL.
bool CanQuantize(BlockType type);

// Bytes of `elements` values; throws kInvalidArgument when that is no whole number of blocks.
uint64_t BlockBytes(BlockType type, uint64_t elements);

// `in` holds whole blocks, `out` exactly their elements. Any bytes are valid input.
void Dequantize(BlockType type, std::span<const uint8_t> in, std::span<float> out);
void Dequantize(BlockType type, std::span<const uint8_t> in, std::span<float> out, Tier tier);

// `in` holds whole rows of whole blocks. NaN and infinity have no block form: kInvalidArgument,
// before anything is written; the plain types keep them.
void Quantize(BlockType type, std::span<const float> in, std::span<uint8_t> out);
void Quantize(BlockType type, std::span<const float> in, std::span<uint8_t> out, Tier tier);

}  // namespace hearth::tensor

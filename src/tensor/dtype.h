// Element types of plain (unblocked) tensors: the 22 of safetensors, their sizes, and conversions
// to and from fp32.
//
// Types below one byte are packed little-endian: F4 two values per byte, low nibble first; the F6
// types four values in three bytes, lowest bits first. Names are those of the safetensors header.
// Floating-point encodings: IEEE 754 (F16), bfloat16, OCP 8-bit (F8_E4M3 without infinities,
// F8_E5M2), the *FNUZ forms (no infinities, no negative zero, 0x80 is NaN), OCP Microscaling
// (F8_E8M0, F6, F4). All functions are pure and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hearth::tensor {

// In the order of the reference implementation, which its writer sorts tensors by.
enum class Dtype : uint8_t {
  kBool,
  kF4,
  kF6E2m3,
  kF6E3m2,
  kU8,
  kI8,
  kF8E5m2,
  kF8E4m3,
  kF8E8m0,
  kF8E4m3Fnuz,
  kF8E5m2Fnuz,
  kI16,
  kU16,
  kF16,
  kBf16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
};
constexpr int kDtypes = 22;

std::string_view DtypeName(Dtype dtype);  // "BF16"
std::optional<Dtype> FindDtype(std::string_view name);
// 4 to 64; a multiple of 8 for all but F4 and the F6 types.
uint64_t DtypeBits(Dtype dtype);
// Floating-point of any width; false for integers, BOOL and C64.
bool IsFloat(Dtype dtype);

// Reads `elements` values as fp32: exact for floats up to 32 bits; F64 and wide integers are
// rounded to nearest even. BOOL gives 0 or 1. Throws kUnimplemented for C64.
void ToFloat(Dtype dtype, const uint8_t* in, uint64_t elements, float* out);
// Rounds to nearest even. What is too large becomes, as in PyTorch, infinity in F16, BF16 and
// F8_E5M2, NaN in the *FNUZ types and F8_E8M0, and the largest number in F8_E4M3, F6 and F4; a NaN,
// too, is the largest number in F6 and F4. Throws kUnimplemented for a type that is no float.
void FromFloat(Dtype dtype, const float* in, uint64_t elements, uint8_t* out);

}  // namespace hearth::tensor

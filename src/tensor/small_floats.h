// Floats of 4 to 8 bits, decoded and encoded one value at a time by their parameters.
// Sources: OCP 8-bit Floating Point Specification 1.0, OCP Microscaling Formats 1.0, and the *FNUZ
// encodings of arXiv 2206.02915. Pure and thread-safe.
#pragma once

#include <cstdint>

namespace hearth::tensor {

// What the codes with all exponent bits set mean.
enum class SmallFloatTop : uint8_t {
  kInfinityAndNan,  // as in IEEE 754
  kNanOnly,         // numbers, but for the last code, which is NaN
  kFnuz,            // numbers; NaN is the code of negative zero
  kNumbers,         // numbers only
};

struct SmallFloat {
  int exponent_bits;
  int mantissa_bits;
  int bias;
  SmallFloatTop top;
};

constexpr SmallFloat kE5m2{5, 2, 15, SmallFloatTop::kInfinityAndNan};
constexpr SmallFloat kE4m3{4, 3, 7, SmallFloatTop::kNanOnly};
constexpr SmallFloat kE5m2Fnuz{5, 2, 16, SmallFloatTop::kFnuz};
constexpr SmallFloat kE4m3Fnuz{4, 3, 8, SmallFloatTop::kFnuz};
constexpr SmallFloat kE3m2{3, 2, 3, SmallFloatTop::kNumbers};
constexpr SmallFloat kE2m3{2, 3, 1, SmallFloatTop::kNumbers};
constexpr SmallFloat kE2m1{2, 1, 1, SmallFloatTop::kNumbers};

float DecodeSmallFloat(const SmallFloat& format, uint8_t code);
// To nearest even; overflow as dtype.h says.
uint8_t EncodeSmallFloat(const SmallFloat& format, float value);

// F8_E8M0: an exponent alone, 2^(code - 127); 255 is NaN.
float DecodeE8m0(uint8_t code);
uint8_t EncodeE8m0(float value);

}  // namespace hearth::tensor

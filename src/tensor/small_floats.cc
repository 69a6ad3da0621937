#include "tensor/small_floats.h"

#include <bit>
#include <cmath>
#include <limits>

namespace hearth::tensor {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

int LargestNumber(const SmallFloat& format) {
  int codes = 1 << (format.exponent_bits + format.mantissa_bits);  // without the sign
  switch (format.top) {
    case SmallFloatTop::kInfinityAndNan:
      return codes - (1 << format.mantissa_bits) - 1;
    case SmallFloatTop::kNanOnly:
      return codes - 2;
    case SmallFloatTop::kFnuz:
    case SmallFloatTop::kNumbers:
      break;
  }
  return codes - 1;
}

int SignBit(const SmallFloat& format) { return 1 << (format.exponent_bits + format.mantissa_bits); }

uint8_t NanCode(const SmallFloat& format, int sign) {
  switch (format.top) {
    case SmallFloatTop::kFnuz:
      return static_cast<uint8_t>(SignBit(format));
    case SmallFloatTop::kNumbers:
      return static_cast<uint8_t>(sign | LargestNumber(format));
    default:
      return static_cast<uint8_t>(sign | (SignBit(format) - 1));
  }
}

uint8_t OverflowCode(const SmallFloat& format, int sign) {
  switch (format.top) {
    case SmallFloatTop::kInfinityAndNan:
      return static_cast<uint8_t>(sign | (LargestNumber(format) + 1));
    case SmallFloatTop::kFnuz:
      return NanCode(format, sign);
    default:
      return static_cast<uint8_t>(sign | LargestNumber(format));
  }
}

}  // namespace

float DecodeSmallFloat(const SmallFloat& format, uint8_t code) {
  int sign_bit = SignBit(format);
  int magnitude = code & (sign_bit - 1);
  bool negative = (code & sign_bit) != 0;
  if (format.top == SmallFloatTop::kFnuz && negative && magnitude == 0) return kNan;
  int largest = LargestNumber(format);
  if (magnitude > largest) {
    bool infinite = format.top == SmallFloatTop::kInfinityAndNan && magnitude == largest + 1;
    float value = infinite ? std::numeric_limits<float>::infinity() : kNan;
    return negative ? -value : value;
  }
  int exponent = magnitude >> format.mantissa_bits;
  int mantissa = magnitude & ((1 << format.mantissa_bits) - 1);
  if (exponent == 0) {
    exponent = 1;
  } else {
    mantissa |= 1 << format.mantissa_bits;
  }
  float value =
      std::ldexp(static_cast<float>(mantissa), exponent - format.bias - format.mantissa_bits);
  return negative ? -value : value;
}

uint8_t EncodeSmallFloat(const SmallFloat& format, float value) {
  int sign = std::signbit(value) ? SignBit(format) : 0;
  if (std::isnan(value)) return NanCode(format, sign);
  float magnitude = std::fabs(value);
  if (std::isinf(magnitude)) return OverflowCode(format, sign);
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude = m * 2^exponent, m in [0.5, 1)
  int biased = exponent - 1 + format.bias;
  if (magnitude == 0 || biased < 1) biased = 1;
  // In units of the last place the value is a small number: rint() rounds it to nearest even.
  float units = std::ldexp(magnitude, format.mantissa_bits + format.bias - biased);
  auto rounded = static_cast<int>(std::rint(units));
  // Carries from mantissa to exponent come out right because the codes are consecutive.
  int code = ((biased - 1) << format.mantissa_bits) + rounded;
  if (code > LargestNumber(format)) return OverflowCode(format, sign);
  if (format.top == SmallFloatTop::kFnuz && code == 0) return 0;
  return static_cast<uint8_t>(sign | code);
}

float DecodeE8m0(uint8_t code) {
  if (code == 0xFF) return kNan;
  return code == 0 ? std::bit_cast<float>(0x00400000) : std::bit_cast<float>(uint32_t{code} << 23);
}

uint8_t EncodeE8m0(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t exponent = (bits >> 23) & 0xFF;
  uint32_t mantissa = bits & 0x7FFFFF;
  if (exponent == 0xFF) return 0xFF;
  // To nearest; a tie goes up, except to 2^-126 from the middle of the subnormals.
  bool up = mantissa > 0x400000 || (mantissa == 0x400000 && exponent > 0);
  return static_cast<uint8_t>(exponent + (up ? 1 : 0));
}

}  // namespace hearth::tensor

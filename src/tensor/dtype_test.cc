#include "tensor/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/error.h"
#include "tensor/float_formats.h"
#include "tensor/small_floats.h"

namespace hearth::tensor {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

float Decoded(Dtype dtype, std::vector<uint8_t> bytes) {
  float value;
  ToFloat(dtype, bytes.data(), 1, &value);
  return value;
}

std::vector<uint8_t> Encoded(Dtype dtype, std::vector<float> values) {
  std::vector<uint8_t> out((values.size() * DtypeBits(dtype) + 7) / 8);
  FromFloat(dtype, values.data(), values.size(), out.data());
  return out;
}

TEST(Dtype, NamesAndSizesAreThoseOfTheFormat) {
  for (int i = 0; i < kDtypes; ++i) {
    auto dtype = static_cast<Dtype>(i);
    EXPECT_EQ(FindDtype(DtypeName(dtype)), dtype);
  }
  EXPECT_EQ(DtypeBits(Dtype::kF6E3m2), 6u);
  EXPECT_EQ(DtypeBits(Dtype::kC64), 64u);
  EXPECT_EQ(FindDtype("F8"), std::nullopt);
  EXPECT_EQ(FindDtype("f32"), std::nullopt);
}

TEST(Dtype, HalfComesBackForEveryCode) {
  for (uint32_t code = 0; code < 65536; ++code) {
    auto half = static_cast<uint16_t>(code);
    float value = HalfToFloat(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(value))));
    } else {
      EXPECT_EQ(FloatToHalf(value), half);
    }
  }
}

TEST(Dtype, HalvesRoundToEven) {
  EXPECT_EQ(FloatToHalf(2049.0f), FloatToHalf(2048.0f));
  EXPECT_EQ(FloatToHalf(2051.0f), FloatToHalf(2052.0f));
  EXPECT_EQ(FloatToHalf(65519.0f), 0x7BFF);
  EXPECT_EQ(FloatToHalf(65520.0f), 0x7C00);
  EXPECT_EQ(FloatToHalf(0x1p-25f), 0);
  EXPECT_EQ(FloatToHalf(0x1.8p-24f), 2);
  EXPECT_EQ(FloatToBf16(1.00390625f), 0x3F80);
}

TEST(Dtype, SmallFloatsComeBackForEveryCode) {
  for (const SmallFloat& format : {kE5m2, kE4m3, kE5m2Fnuz, kE4m3Fnuz, kE3m2, kE2m3, kE2m1}) {
    int codes = 1 << (1 + format.exponent_bits + format.mantissa_bits);
    for (int code = 0; code < codes; ++code) {
      float value = DecodeSmallFloat(format, static_cast<uint8_t>(code));
      if (!std::isnan(value)) {
        EXPECT_EQ(EncodeSmallFloat(format, value), code);
      }
    }
  }
}

TEST(Dtype, LargestNumbersAreThoseOfTheSpecifications) {
  EXPECT_EQ(Decoded(Dtype::kF8E4m3, {0x7E}), 448.0f);
  EXPECT_EQ(Decoded(Dtype::kF8E5m2, {0x7B}), 57344.0f);
  EXPECT_EQ(Decoded(Dtype::kF8E5m2, {0x7C}), kInfinity);
  EXPECT_EQ(Decoded(Dtype::kF8E4m3Fnuz, {0x7F}), 240.0f);
  EXPECT_EQ(Decoded(Dtype::kF8E5m2Fnuz, {0x7F}), 57344.0f);
  EXPECT_TRUE(std::isnan(Decoded(Dtype::kF8E4m3Fnuz, {0x80})));
  EXPECT_EQ(Decoded(Dtype::kF8E8m0, {127}), 1.0f);
  EXPECT_EQ(Decoded(Dtype::kF6E3m2, {0x1F}), 28.0f);
  EXPECT_EQ(Decoded(Dtype::kF6E2m3, {0x1F}), 7.5f);
  EXPECT_EQ(Decoded(Dtype::kF4, {0x0F}), -6.0f);
}

TEST(Dtype, OverflowBecomesWhatTheTypeHas) {
  EXPECT_EQ(Encoded(Dtype::kF8E5m2, {1e9f})[0], 0x7C);
  EXPECT_EQ(Encoded(Dtype::kF8E4m3, {-1e9f})[0], 0xFE);
  EXPECT_EQ(Encoded(Dtype::kF8E4m3Fnuz, {1e9f})[0], 0x80);
  EXPECT_EQ(Encoded(Dtype::kF4, {-1e9f, kInfinity})[0], 0x7F);
}

TEST(Dtype, PackedTypesFillBytesFromTheLowestBit) {
  EXPECT_EQ(Encoded(Dtype::kF4, {0.5f, 1.0f, 6.0f, -0.5f}), (std::vector<uint8_t>{0x21, 0x97}));
  std::vector<float> values = {1.0f, -2.0f, 0.25f, 28.0f};
  std::vector<uint8_t> packed = Encoded(Dtype::kF6E3m2, values);
  EXPECT_EQ(packed.size(), 3u);
  std::vector<float> back(4);
  ToFloat(Dtype::kF6E3m2, packed.data(), 4, back.data());
  EXPECT_EQ(back, values);
}

TEST(Dtype, IntegersAndBooleansWiden) {
  EXPECT_EQ(Decoded(Dtype::kBool, {7}), 1.0f);
  EXPECT_EQ(Decoded(Dtype::kI8, {0xFF}), -1.0f);
  EXPECT_EQ(Decoded(Dtype::kU16, {0xFF, 0xFF}), 65535.0f);
  EXPECT_EQ(Decoded(Dtype::kI64, {0xFE, 255, 255, 255, 255, 255, 255, 255}), -2.0f);
}

TEST(Dtype, WhatHasNoConversionSaysSo) {
  float value = 0;
  uint8_t bytes[8] = {};
  EXPECT_THROW(ToFloat(Dtype::kC64, bytes, 1, &value), Error);
  EXPECT_THROW(FromFloat(Dtype::kI32, &value, 1, bytes), Error);
}

}  // namespace
}  // namespace hearth::tensor

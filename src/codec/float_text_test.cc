#include "codec/float_text.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>

namespace hearth {
namespace {

std::string Text(float value) {
  char text[kFloatTextBytes];
  return {text, AppendFloat(text, value)};
}

// What the standard library writes.
std::string Shortest(float value) {
  char text[32];
  std::string shortest(text, std::to_chars(text, text + sizeof text, value).ptr);
  bool is_real = shortest.find_first_of(".e") != std::string::npos;
  return is_real ? shortest : shortest + ".0";
}

float FromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

uint32_t Bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

TEST(FloatText, IsTheShortestOfUsualNumbers) {
  for (uint32_t bits = Bits(0.0009f); bits < Bits(1.1f); bits += 101) {
    ASSERT_EQ(Text(FromBits(bits)), Shortest(FromBits(bits)));
    ASSERT_EQ(Text(-FromBits(bits)), Shortest(-FromBits(bits)));
  }
}

TEST(FloatText, IsTheShortestOfShortTextsAndTheirNeighbours) {
  for (int digits = 1; digits < 30000; ++digits) {
    for (double power : {1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8}) {
      uint32_t bits = Bits(static_cast<float>(digits * power));
      for (uint32_t near = bits - 1; near <= bits + 1; ++near) {
        ASSERT_EQ(Text(FromBits(near)), Shortest(FromBits(near)));
      }
    }
  }
}

TEST(FloatText, IsTheShortestOfAnyBits) {
  std::mt19937 random(1);
  for (int i = 0; i < 200000; ++i) {
    float value = FromBits(static_cast<uint32_t>(random()));
    ASSERT_EQ(Text(value), std::isfinite(value) ? Shortest(value) : "null");
  }
  for (uint32_t bits = Bits(1e7f); bits < Bits(1e17f); bits += 9973) {
    ASSERT_EQ(Text(-FromBits(bits)), Shortest(-FromBits(bits)));  // the longest whole numbers
  }
  for (float value :
       {0.0f, -0.0f, 1.0f, -2.5f, 16777216.0f, std::numeric_limits<float>::min(),
        std::numeric_limits<float>::lowest(), std::numeric_limits<float>::denorm_min()}) {
    EXPECT_EQ(Text(value), Shortest(value));
  }
  EXPECT_EQ(Text(NAN), "null");
  EXPECT_EQ(Text(-INFINITY), "null");
}

}  // namespace
}  // namespace hearth

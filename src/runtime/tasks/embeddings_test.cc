#include "runtime/tasks/embeddings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace hearth::runtime {
namespace {

TEST(EmbeddingText, IsTheShortestThatReadsBackAsTheSame) {
  std::string text = "x";
  AppendJsonArray(&text, std::vector<float>{0.1f, -0.25f, 1, 0, 16777216, 1e-30f});
  EXPECT_EQ(text, "x[0.1,-0.25,1.0,0.0,16777216.0,1e-30]");
  text.clear();
  AppendJsonArray(&text, {});
  EXPECT_EQ(text, "[]");
}

TEST(EmbeddingText, WhatIsNotFiniteIsNull) {
  std::string text;
  AppendJsonArray(&text, std::vector<float>{NAN, INFINITY, -INFINITY});
  EXPECT_EQ(text, "[null,null,null]");
}

TEST(EmbeddingText, KeepsEveryBit) {
  std::mt19937 random(1);
  using Limits = std::numeric_limits<float>;
  std::vector<float> values = {Limits::min(),    -Limits::min(),       Limits::max(),
                               Limits::lowest(), Limits::denorm_min(), -0.0f};
  while (values.size() < 5000) {
    uint32_t bits = random();
    float value;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value)) values.push_back(value);
  }
  std::string text;
  AppendJsonArray(&text, values);
  Json read = Json::Parse(text);
  ASSERT_EQ(read.size(), values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    auto value = static_cast<float>(*(*read.AsArray())[i].AsDouble());
    EXPECT_EQ(std::signbit(value), std::signbit(values[i])) << i;
    EXPECT_EQ(value, values[i]) << i;
  }
}

}  // namespace
}  // namespace hearth::runtime

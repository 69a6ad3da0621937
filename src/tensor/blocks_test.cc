#include "tensor/blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "base/error.h"

namespace hearth::tensor {
namespace {

constexpr BlockType kWritten[] = {
    BlockType::kQ4_0,  BlockType::kQ4_1, BlockType::kQ5_0, BlockType::kQ5_1, BlockType::kQ8_0,
    BlockType::kQ4_K,  BlockType::kQ5_K, BlockType::kQ6_K, BlockType::kQ2_K, BlockType::kQ3_K,
    BlockType::kIq4Nl, BlockType::kF16,  BlockType::kBf16, BlockType::kF32};

std::vector<uint8_t> RandomBytes(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(n);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

// Rows as weights have them, rows of a few large values, zeros, and numbers at the ends of fp32's
// range.
std::vector<float> Weights(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i) {
    float value = normal(random);
    switch (i / 256 % 6) {
      case 0:
        value *= 0.02f;
        break;
      case 1:
        value = value * value * value * value;
        break;
      case 2:
        value = random() % 4 == 0 ? value : 0.0f;
        break;
      case 3:
        value = i / 32 % 2 == 0 ? 0.0f : -1.5f;
        break;
      case 4:
        value *= 1e-40f;
        break;
      default:
        value *= 1e30f;
        break;
    }
    values[i] = value;
  }
  return values;
}

std::vector<float> Dequantized(BlockType type, const std::vector<uint8_t>& bytes, Tier tier) {
  const BlockTypeInfo& info = InfoOf(type);
  std::vector<float> out(bytes.size() / info.block_bytes * info.block_elements);
  Dequantize(type, bytes, out, tier);
  return out;
}

std::vector<uint8_t> Quantized(BlockType type, const std::vector<float>& values, Tier tier) {
  std::vector<uint8_t> out(BlockBytes(type, values.size()));
  Quantize(type, values, out, tier);
  return out;
}

// A NaN equals any other: which of two the sum of both is, the machine decides.
bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) {
    return std::memcmp(&x, &y, sizeof x) == 0 || (std::isnan(x) && std::isnan(y));
  });
}

TEST(Blocks, EveryTierReadsEveryTypeAsThePortableOneDoes) {
  for (const BlockTypeInfo& info : BlockTypes()) {
    auto type = static_cast<BlockType>(info.id);
    std::vector<uint8_t> bytes = RandomBytes(info.block_bytes * 203, info.id);
    std::vector<float> expected = Dequantized(type, bytes, Tier::kPortable);
    for (Tier tier : SupportedTiers()) {
      EXPECT_TRUE(SameBits(Dequantized(type, bytes, tier), expected))
          << info.name << " " << TierName(tier);
    }
  }
}

TEST(Blocks, EveryTierWritesTheSameBytes) {
  for (BlockType type : kWritten) {
    for (size_t blocks : {1, 2, 3, 60}) {
      std::vector<float> values = Weights(blocks * 256, static_cast<unsigned>(blocks));
      std::vector<uint8_t> expected = Quantized(type, values, Tier::kPortable);
      for (Tier tier : SupportedTiers()) {
        EXPECT_EQ(Quantized(type, values, tier), expected)
            << InfoOf(type).name << " " << TierName(tier) << " " << blocks;
      }
    }
  }
}

TEST(Blocks, WhatIsWrittenComesBackWithinTheTypesPrecision) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 0.05f);
  std::vector<float> values(256 * 64);
  double power = 0;
  for (float& value : values) {
    value = normal(random);
    power += double{value} * value;
  }
  const std::pair<BlockType, double> limits[] = {
      {BlockType::kQ4_0, 0.11},  {BlockType::kQ4_1, 0.10},   {BlockType::kQ5_0, 0.055},
      {BlockType::kQ5_1, 0.05},  {BlockType::kQ8_0, 0.007},  {BlockType::kQ4_K, 0.085},
      {BlockType::kQ5_K, 0.045}, {BlockType::kQ6_K, 0.025},  {BlockType::kQ2_K, 0.35},
      {BlockType::kQ3_K, 0.17},  {BlockType::kIq4Nl, 0.085}, {BlockType::kF16, 0.0005},
      {BlockType::kBf16, 0.003}, {BlockType::kF32, 1e-12}};
  for (const auto& [type, limit] : limits) {
    std::vector<float> back = Dequantized(type, Quantized(type, values, CpuTier()), CpuTier());
    double error = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      error += (double{back[i]} - values[i]) * (double{back[i]} - values[i]);
    }
    EXPECT_LT(std::sqrt(error / power), limit) << InfoOf(type).name;
  }
}

TEST(Blocks, KnownBlocksHaveTheirKnownValues) {
  // d = 2; low nibbles are the first half: 0 -> -16, 15 -> 14.
  std::vector<uint8_t> q4_0(18, 0xF0);
  q4_0[0] = 0x00;
  q4_0[1] = 0x40;
  std::vector<float> values = Dequantized(BlockType::kQ4_0, q4_0, CpuTier());
  EXPECT_EQ(values[0], -16.0f);
  EXPECT_EQ(values[15], -16.0f);
  EXPECT_EQ(values[16], 14.0f);
  // MXFP4: 2^(128 - 127) times 0, 0.5, ..., 6.
  std::vector<uint8_t> mxfp4(17, 0x07);
  mxfp4[0] = 128;
  values = Dequantized(BlockType::kMxfp4, mxfp4, CpuTier());
  EXPECT_EQ(values[0], 12.0f);
  EXPECT_EQ(values[16], 0.0f);
}

TEST(Blocks, ZeroRowsStayZero) {
  std::vector<float> zeros(512, 0.0f);
  for (BlockType type : kWritten) {
    for (float value : Dequantized(type, Quantized(type, zeros, CpuTier()), CpuTier())) {
      ASSERT_EQ(value, 0.0f) << InfoOf(type).name;
    }
  }
}

TEST(Blocks, NotANumberIsRefusedByBlocksAndKeptByPlainTypes) {
  for (float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    std::vector<float> values(256, 1.0f);
    values[200] = bad;
    for (BlockType type : kWritten) {
      std::vector<uint8_t> out(BlockBytes(type, 256));
      if (InfoOf(type).block_elements == 1) {
        EXPECT_NO_THROW(Quantize(type, values, out)) << InfoOf(type).name;
      } else {
        EXPECT_THROW(Quantize(type, values, out), Error) << InfoOf(type).name;
      }
    }
  }
}

TEST(Blocks, SizesThatAreNoWholeBlocksAreErrors) {
  EXPECT_EQ(BlockBytes(BlockType::kQ4_K, 512), 288u);
  EXPECT_THROW(BlockBytes(BlockType::kQ4_K, 500), Error);
  EXPECT_THROW(BlockBytes(BlockType::kF64, UINT64_MAX), Error);
  std::vector<uint8_t> bytes(18);
  std::vector<float> values(64);
  EXPECT_THROW(Dequantize(BlockType::kQ4_0, bytes, values), Error);
  EXPECT_THROW(Quantize(BlockType::kQ4_0, values, bytes), Error);
  EXPECT_THROW(Quantize(BlockType::kIq2Xs, std::vector<float>(256), bytes), Error);
}

TEST(Blocks, TypesAreFoundByNumberAndName) {
  EXPECT_EQ(FindBlockType(12)->name, "Q4_K");
  EXPECT_EQ(FindBlockType("IQ4_XS")->id, 23u);
  for (uint32_t withdrawn : {4u, 5u, 31u, 33u, 36u, 38u, 43u}) {
    EXPECT_EQ(FindBlockType(withdrawn), nullptr);
  }
  EXPECT_EQ(FindBlockType("q4_k"), nullptr);
}

}  // namespace
}  // namespace hearth::tensor

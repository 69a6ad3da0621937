// Row kernels in every tier against plain sums in double precision.
#include "tensor/kernels/row_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

namespace hearth::tensor {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Rows that lie apart in memory, so that a kernel that writes between them is seen.
struct Rows {
  uint32_t rows, columns;
  uint64_t stride;
  std::vector<float> values;

  Rows(uint32_t row_count, uint32_t column_count, float magnitude = 1, uint32_t seed = 1)
      : rows(row_count), columns(column_count), stride(column_count + 3) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, magnitude);
    values.resize(rows * stride);
    for (float& value : values) value = normal(random);
  }
  float* At(uint64_t row) { return values.data() + row * stride; }
  const float* At(uint64_t row) const { return values.data() + row * stride; }
};

using RowFunction = std::function<std::vector<double>(uint64_t row, const float* x)>;
using Kernel = std::function<void(const RowBlock&)>;

// Out of place and in place.
void ExpectRows(const Rows& in, const Kernel& kernel, const RowFunction& expected,
                double tolerance = 3e-6) {
  for (Tier tier : SupportedTiers()) {
    for (bool in_place : {false, true}) {
      SCOPED_TRACE(std::string(TierName(tier)) + (in_place ? " in place " : " ") +
                   std::to_string(in.columns));
      Rows out = in;
      if (!in_place) std::fill(out.values.begin(), out.values.end(), -7.0f);
      RowBlock block{in_place ? out.At(0) : in.At(0),
                     in.stride,
                     out.At(0),
                     out.stride,
                     in.rows,
                     in.columns,
                     tier};
      kernel(block);
      for (uint64_t row = 0; row < in.rows; ++row) {
        std::vector<double> right = expected(row, in.At(row));
        for (uint32_t i = 0; i < in.columns; ++i) {
          ASSERT_NEAR(out.At(row)[i], right[i], tolerance * std::max(1.0, std::fabs(right[i])))
              << "row " << row << " column " << i;
        }
        for (uint64_t i = in.columns; i < in.stride; ++i) {
          ASSERT_EQ(out.At(row)[i], in_place ? in.At(row)[i] : -7.0f) << "beyond the row";
        }
      }
    }
  }
}

const uint32_t kColumns[] = {1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 64, 100, 384, 771};

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double Activated(double x, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGelu:
      return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kGeluTanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kQuickGelu:
      return x * Sigmoid(1.702 * x);
    case Activation::kRelu:
      return std::max(x, 0.0);
    case Activation::kReluSquared:
      return std::max(x, 0.0) * std::max(x, 0.0);
    case Activation::kSilu:
      return x * Sigmoid(x);
    case Activation::kSigmoid:
      return Sigmoid(x);
    case Activation::kTanh:
      return std::tanh(x);
  }
  return x;
}

const Activation kActivations[] = {
    Activation::kNone,      Activation::kGelu,    Activation::kGeluTanh,
    Activation::kQuickGelu, Activation::kRelu,    Activation::kReluSquared,
    Activation::kSilu,      Activation::kSigmoid, Activation::kTanh};

TEST(RowKernelsTest, ActivationsAndGates) {
  for (uint32_t columns : kColumns) {
    Rows in(3, columns, 4), up(3, columns, 1, 2);
    for (Activation activation : kActivations) {
      SCOPED_TRACE("activation " + std::to_string(static_cast<int>(activation)));
      ExpectRows(
          in, [&](const RowBlock& block) { ActivateRows(block, activation); },
          [&](uint64_t, const float* x) {
            std::vector<double> out(x, x + columns);
            for (double& value : out) value = Activated(value, activation);
            return out;
          });
      ExpectRows(
          in, [&](const RowBlock& block) { GateRows(block, up.At(0), up.stride, activation); },
          [&](uint64_t row, const float* x) {
            std::vector<double> out(x, x + columns);
            for (uint32_t i = 0; i < columns; ++i) {
              out[i] = Activated(out[i], activation) * up.At(row)[i];
            }
            return out;
          });
    }
  }
}

TEST(RowKernelsTest, ActivationsOfExtremeValues) {
  const float extremes[] = {0.0f,    -0.0f,  1e-45f,  -1e-45f, 1e-20f, -1e-20f,   88.0f, -88.0f,
                            -104.0f, 200.0f, -200.0f, 3e38f,   -3e38f, kInfinity, kNan};
  constexpr uint32_t kCount = std::size(extremes);
  for (Tier tier : SupportedTiers()) {
    for (Activation activation : kActivations) {
      float out[kCount];
      ActivateRows({extremes, kCount, out, kCount, 1, kCount, tier}, activation);
      for (uint32_t i = 0; i < kCount; ++i) {
        auto right = static_cast<float>(Activated(extremes[i], activation));
        SCOPED_TRACE(std::string(TierName(tier)) + " " + std::to_string(extremes[i]) + " " +
                     std::to_string(static_cast<int>(activation)));
        if (std::isnan(right)) {
          EXPECT_TRUE(std::isnan(out[i]));
        } else if (std::isinf(right)) {
          EXPECT_EQ(out[i], right);
        } else {
          EXPECT_NEAR(out[i], right, 3e-6 * std::max(1.0f, std::fabs(right)));
        }
      }
    }
  }
}

TEST(RowKernelsTest, SumsProductsAndCaps) {
  for (uint32_t columns : kColumns) {
    Rows in(4, columns), other(4, columns, 1, 3);
    auto elementwise = [&](const std::function<double(double, double)>& function) {
      return [&, function](uint64_t row, const float* x) {
        std::vector<double> out(columns);
        for (uint32_t i = 0; i < columns; ++i) out[i] = function(x[i], other.At(row)[i]);
        return out;
      };
    };
    ExpectRows(
        in, [&](const RowBlock& b) { AddRows(b, other.At(0), other.stride); },
        elementwise([](double x, double y) { return x + y; }));
    ExpectRows(
        in, [&](const RowBlock& b) { MultiplyRows(b, other.At(0), other.stride); },
        elementwise([](double x, double y) { return x * y; }));
    ExpectRows(
        in, [&](const RowBlock& b) { ScaleRows(b, 0.3f); },
        elementwise([](double x, double) { return x * 0.3f; }));
    ExpectRows(
        in, [&](const RowBlock& b) { SoftCapRows(b, 1.5f); },
        elementwise([](double x, double) { return 1.5 * std::tanh(x / 1.5); }));
  }
}

std::vector<double> Normed(const float* x, uint32_t columns, const NormOptions& o,
                           const std::vector<float>& weight, const std::vector<float>& bias) {
  std::vector<double> out(x, x + columns);
  uint32_t group = o.group != 0 ? o.group : columns;
  for (uint32_t from = 0; from < columns; from += group) {
    double mean = 0, squares = 0;
    for (uint32_t i = 0; i < group; ++i) mean += out[from + i] / group;
    if (o.kind != NormKind::kLayer) mean = 0;
    for (uint32_t i = 0; i < group; ++i) squares += std::pow(out[from + i] - mean, 2);
    double divisor = o.kind == NormKind::kL2 ? std::max(std::sqrt(squares), double{o.epsilon})
                                             : std::sqrt(squares / group + o.epsilon);
    for (uint32_t i = 0; i < group; ++i) {
      double value = (out[from + i] - mean) / divisor;
      if (!weight.empty()) value *= weight[(from + i) % weight.size()] + o.weight_offset;
      if (!bias.empty()) value += bias[(from + i) % bias.size()];
      out[from + i] = value;
    }
  }
  return out;
}

TEST(RowKernelsTest, NormsOfRowsAndGroups) {
  for (uint32_t columns : kColumns) {
    for (NormKind kind : {NormKind::kLayer, NormKind::kRms, NormKind::kL2}) {
      for (uint32_t group : {0u, columns}) {
        for (uint32_t heads : {1u, 3u}) {
          if (heads > 1 && group == 0) continue;
          Rows in(3, columns * heads);
          NormOptions options;
          options.kind = kind;
          options.group = group;
          options.weight_offset = heads > 1 ? 1.0f : 0.0f;
          for (uint32_t weights : {0u, columns, columns * heads}) {
            std::vector<float> weight = Rows(1, weights, 1, 5).values;
            std::vector<float> bias = Rows(1, weights, 1, 6).values;
            weight.resize(weights);
            bias.resize(weights);
            ExpectRows(
                in, [&](const RowBlock& b) { NormRows(b, options, weight, bias); },
                [&](uint64_t, const float* x) {
                  return Normed(x, in.columns, options, weight, bias);
                },
                1e-5);
          }
        }
      }
    }
  }
}

TEST(RowKernelsTest, NormOfAConstantRowFarFromZero) {
  Rows in(1, 768);
  for (float& value : in.values) value += 1000;
  NormOptions options;
  ExpectRows(
      in, [&](const RowBlock& b) { NormRows(b, options, {}, {}); },
      [&](uint64_t, const float* x) { return Normed(x, 768, options, {}, {}); }, 5e-4);
}

TEST(RowKernelsTest, NormOfZeros) {
  Rows in(1, 20, 0);
  for (NormKind kind : {NormKind::kLayer, NormKind::kRms, NormKind::kL2}) {
    NormOptions options;
    options.kind = kind;
    ExpectRows(
        in, [&](const RowBlock& b) { NormRows(b, options, {}, {}); },
        [&](uint64_t, const float*) { return std::vector<double>(20, 0.0); });
  }
}

TEST(RowKernelsTest, SoftmaxOfAnyMagnitude) {
  for (uint32_t columns : kColumns) {
    for (float magnitude : {0.0f, 1.0f, 1000.0f}) {
      Rows in(3, columns, magnitude);
      in.At(1)[columns / 2] = -kInfinity;
      if (columns == 1) in.At(1)[0] = 5;
      ExpectRows(
          in, [](const RowBlock& b) { SoftmaxRows(b); },
          [&](uint64_t, const float* x) {
            std::vector<double> out(x, x + columns);
            double largest = *std::max_element(out.begin(), out.end()), sum = 0;
            for (double& value : out) sum += value = std::exp(value - largest);
            for (double& value : out) value /= sum;
            return out;
          });
    }
  }
  Rows nothing(1, 9);
  std::fill(nothing.values.begin(), nothing.values.end(), -kInfinity);
  ExpectRows(
      nothing, [](const RowBlock& b) { SoftmaxRows(b); },
      [](uint64_t, const float*) { return std::vector<double>(9, 0.0); });
}

TEST(RowKernelsTest, RotaryPositionsOfBothStyles) {
  for (bool interleaved : {false, true}) {
    for (auto [head_dim, pairs] : {std::pair{4u, 2u},
                                   {64u, 32u},
                                   {80u, 16u},
                                   {96u, 48u},
                                   {128u, 64u},
                                   {12u, 6u},
                                   {100u, 37u}}) {
      RopeOptions options;
      options.head_dim = head_dim;
      options.interleaved = interleaved;
      options.magnitude = 1.25f;
      for (uint32_t i = 0; i < pairs; ++i) {
        options.inverse_frequencies.push_back(
            std::pow(10000.0f, -static_cast<float>(i) / static_cast<float>(pairs)));
      }
      RopeTable table(options.inverse_frequencies, options.magnitude);
      table.Reserve(100);
      table.Reserve(100001);
      std::vector<uint32_t> positions = {0, 1, 99, 100000};
      Rows in(4, 3 * head_dim);
      ExpectRows(
          in, [&](const RowBlock& b) { RopeRows(b, options, table, positions); },
          [&, pairs = pairs, head_dim = head_dim](uint64_t row, const float* x) {
            std::vector<double> out(x, x + in.columns);
            for (uint32_t head = 0; head < in.columns; head += head_dim) {
              for (uint32_t i = 0; i < pairs; ++i) {
                uint32_t a = head + (interleaved ? 2 * i : i);
                uint32_t b = interleaved ? a + 1 : a + pairs;
                double angle = double{options.inverse_frequencies[i]} * positions[row];
                double c = std::cos(angle) * 1.25, s = std::sin(angle) * 1.25;
                out[a] = x[a] * c - x[b] * s;
                out[b] = x[b] * c + x[a] * s;
              }
            }
            return out;
          });
    }
  }
}

TEST(RowKernelsTest, PoolingOfSegments) {
  for (uint32_t columns : kColumns) {
    for (auto [rows, unpooled] :
         {std::pair(1u, 0u), {2u, 0u}, {5u, 0u}, {40u, 0u}, {2u, 1u}, {40u, 7u}}) {
      Rows in(rows, columns);
      for (Pooling pooling : {Pooling::kFirst, Pooling::kLast, Pooling::kMean, Pooling::kMax,
                              Pooling::kMeanSqrtLength, Pooling::kWeightedMean}) {
        for (Tier tier : SupportedTiers()) {
          std::vector<float> out(columns);
          PoolRows({in.At(0), in.stride, out.data(), columns, rows, columns, tier}, pooling,
                   unpooled);
          for (uint32_t i = 0; i < columns; ++i) {
            double sum = 0, weighted = 0, weights = 0, largest = in.At(unpooled)[i];
            for (uint32_t row = unpooled; row < rows; ++row) {
              sum += in.At(row)[i];
              weighted += in.At(row)[i] * (row + 1.0);
              weights += row + 1.0;
              largest = std::max(largest, double{in.At(row)[i]});
            }
            double right[] = {in.At(unpooled)[i],
                              in.At(rows - 1)[i],
                              sum / (rows - unpooled),
                              largest,
                              sum / std::sqrt(rows - unpooled),
                              weighted / weights};
            ASSERT_NEAR(out[i], right[static_cast<int>(pooling)], 3e-6)
                << TierName(tier) << " pooling " << static_cast<int>(pooling);
          }
        }
      }
    }
  }
}

TEST(RowKernelsTest, LogSumExpAndArgMax) {
  for (Tier tier : SupportedTiers()) {
    for (uint32_t count : kColumns) {
      for (float magnitude : {1.0f, 300.0f}) {
        std::vector<float> row = Rows(1, count, magnitude, count).values;
        row.resize(count);
        size_t best = std::max_element(row.begin(), row.end()) - row.begin();
        double sum = 0;
        for (float x : row) sum += std::exp(double{x} - row[best]);
        EXPECT_NEAR(LogSumExp(row, tier), row[best] + std::log(sum), 2e-5 * magnitude);
        EXPECT_EQ(ArgMax(row, tier), static_cast<int64_t>(best));
        for (uint32_t at = 0; at < count; at += 5) {  // the first of equals, wherever
          std::vector<float> ties(count, -2.0f);
          for (uint32_t i = at; i < count; i += 3) ties[i] = 9;
          EXPECT_EQ(ArgMax(ties, tier), at);
          std::vector<float> holes(count, kNan);
          holes[at] = -kInfinity;
          EXPECT_EQ(ArgMax(holes, tier), at);
        }
      }
      EXPECT_EQ(ArgMax(std::vector<float>(count, kNan), tier), -1);
      EXPECT_EQ(ArgMax(std::vector<float>(count, -kInfinity), tier), 0);
      EXPECT_EQ(LogSumExp(std::vector<float>(count, -kInfinity), tier), -kInfinity);
      std::vector<float> infinite(count, 1.0f);
      infinite.back() = kInfinity;
      EXPECT_EQ(LogSumExp(infinite, tier), kInfinity);
    }
    EXPECT_EQ(ArgMax({}, tier), -1);
    EXPECT_EQ(LogSumExp({}, tier), -kInfinity);
  }
}

}  // namespace
}  // namespace hearth::tensor

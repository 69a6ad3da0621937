// Every function of vector_math.inc in every tier against the C library in double precision, over
// floats of all magnitudes.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/internal/row_kernel_table.h"

namespace hearth::tensor {
namespace {

// The distance of `got` from the true value in units of the last place of a float near it.
double UlpsFrom(float got, double right) {
  if (std::isnan(right)) return std::isnan(got) ? 0 : 1e30;
  auto nearest = static_cast<float>(right);
  if (std::isinf(nearest) || std::isinf(got)) {
    // The largest float is half a unit from the border of infinity.
    double finite = std::isinf(nearest) ? std::fabs(static_cast<double>(got)) : std::fabs(right);
    return nearest == got ? 0 : (finite > 3.4028233e38 ? 1 : 1e30);
  }
  int exponent = std::max(std::ilogb(nearest == 0 ? 1e-45f : nearest), -126);
  return std::fabs(got - right) / std::ldexp(1.0, exponent - 23);
}

std::vector<float> AllMagnitudes() {
  std::vector<float> values;
  // A prime step through the bit patterns: signs, denormals, infinities and NaN among them.
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 2503) {
    values.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  for (float x :
       {0.0f, -0.0f, 1e-45f, 1.0f, -1.0f, 0.625f, 0.92f, 88.72284f, -87.33655f, -103.97208f,
        std::numeric_limits<float>::infinity(), std::numeric_limits<float>::max()}) {
    values.push_back(x);
    values.push_back(-x);
    values.push_back(std::nextafter(x, 0.0f));
    values.push_back(std::nextafter(x, 1e9f));
  }
  values.push_back(std::numeric_limits<float>::quiet_NaN());
  return values;
}

void ExpectWithin(double ulps, MathFunction function, double (*right)(double)) {
  static const std::vector<float> values = AllMagnitudes();
  for (Tier tier : SupportedTiers()) {
    std::vector<float> out(values.size());
    MapMath(function, values, out, tier);
    double worst = 0;
    float where = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      double error = UlpsFrom(out[i], right(values[i]));
      if (error > worst) {
        worst = error;
        where = values[i];
      }
    }
    EXPECT_LE(worst, ulps) << TierName(tier) << " at " << std::hexfloat << where;
  }
}

TEST(VectorMathTest, Exp) {
  ExpectWithin(2, MathFunction::kExp, [](double x) { return std::exp(x); });
}
TEST(VectorMathTest, Log) {
  ExpectWithin(2, MathFunction::kLog, [](double x) { return std::log(x); });
}
TEST(VectorMathTest, Tanh) {
  ExpectWithin(2, MathFunction::kTanh, [](double x) { return std::tanh(x); });
}
TEST(VectorMathTest, Erf) {
  ExpectWithin(2, MathFunction::kErf, [](double x) { return std::erf(x); });
}
TEST(VectorMathTest, Sigmoid) {
  ExpectWithin(2, MathFunction::kSigmoid, [](double x) {
    return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
  });
}

}  // namespace
}  // namespace hearth::tensor

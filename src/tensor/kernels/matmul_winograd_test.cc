// Products large enough for seven products of halves, in every tier, against sums in double.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "tensor/kernels/packed_matrix.h"
#include "tensor/kernels/rows_layout.h"
#include "tensor/thread_team.h"

namespace hearth::tensor {
namespace {

using internal::MatmulKernels;

struct Shape {
  uint64_t rows, inputs, outputs;
};

std::vector<float> Noise(uint64_t count, float deviation, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

WeightView ViewOf(const std::vector<float>& values, uint64_t inputs) {
  return {values.size() / inputs, inputs, BlockType::kF32,
          reinterpret_cast<const uint8_t*>(values.data())};
}

// `out` holds what epilogue.residual says where that is its own.
void Multiply(const MatmulKernels& kernels, const PackedMatrix& matrix, const std::vector<float>& x,
              const Epilogue& epilogue, std::vector<float>* out) {
  const uint32_t inputs = matrix.inputs();
  const uint64_t rows = x.size() / inputs;
  const internal::RowsLayout layout =
      internal::LayoutOfRows(Packing::kF32, kernels.bf16_rows, rows, inputs);
  std::vector<uint8_t> packed(layout.bytes);
  internal::FillRows(kernels, Packing::kF32, {x.data(), inputs, inputs}, 0, rows, layout,
                     packed.data());
  internal::MatmulCall call = internal::CallOf(matrix, 0, matrix.outputs());
  out->resize(rows * call.columns, NAN);
  call.rows = internal::ViewOf(packed.data(), layout);
  call.row_end = rows;
  call.epilogue = &epilogue;
  call.out = out->data();
  call.out_stride = call.columns;
  kernels.multiply[static_cast<int>(Packing::kF32)](call);
}

double Exact(const float* x, const float* w, uint64_t inputs) {
  double sum = 0;
  for (uint64_t k = 0; k < inputs; ++k) sum += double{x[k]} * w[k];
  return sum;
}

float Largest(const std::vector<float>& values) {
  float largest = 0;
  for (float value : values) largest = std::max(largest, std::fabs(value));
  return largest;
}

// As the header states it.
double Bound(const Shape& shape, float x, float w) {
  const double n = static_cast<double>(shape.inputs);
  return 4.5 * (n / 2 + 6) * n * 0x1p-24 * x * w;
}

// The bound is for the worst of signs; of random ones the errors are far below.
constexpr double kOfBound = 0.05;

constexpr Shape kShapes[] = {
    {96, 128, 192},  {97, 384, 192},  {128, 130, 96}, {129, 390, 100}, {200, 768, 208},
    {101, 1536, 96}, {521, 200, 112}, {96, 131, 192}, {95, 128, 192},  {512, 390, 1110},
};

TEST(MultiplyFloats, LargeProductsStayWithinTheStatedErrorInEveryTier) {
  for (const Shape& shape : kShapes) {
    const std::vector<float> w = Noise(shape.outputs * shape.inputs, 0.05f, 1);
    const std::vector<float> x = Noise(shape.rows * shape.inputs, 1, 2);
    const WeightView view = ViewOf(w, shape.inputs);
    const PackedMatrix matrix = PackedMatrix::Pack({&view, 1}, Packing::kF32, CpuTier());
    const double bound = kOfBound * Bound(shape, Largest(x), Largest(w));
    for (const MatmulKernels* kernels : internal::SupportedMatmul()) {
      std::vector<float> y;
      Multiply(*kernels, matrix, x, {}, &y);
      for (uint64_t i = 0; i < y.size(); ++i) {
        const uint64_t r = i / shape.outputs, o = i % shape.outputs;
        ASSERT_NEAR(y[i], Exact(&x[r * shape.inputs], &w[o * shape.inputs], shape.inputs), bound)
            << kernels->name << " row " << r << " of " << shape.rows << " output " << o << " of "
            << shape.outputs << " inputs " << shape.inputs;
      }
    }
  }
}

TEST(MultiplyFloats, RowsDoNotSpoilEachOther) {
  const Shape shape = {128, 768, 192};
  const std::vector<float> w = Noise(shape.outputs * shape.inputs, 0.05f, 3);
  std::vector<float> x = Noise(shape.rows * shape.inputs, 1, 4);
  const uint64_t huge = 3, tiny = 20, infinite = 40, none = 90, zero = 101;
  auto fill = [&](uint64_t row, auto change) {
    for (uint64_t k = 0; k < shape.inputs; ++k) change(x[row * shape.inputs + k]);
  };
  fill(huge, [](float& v) { v *= 1e12f; });
  fill(tiny, [](float& v) { v *= 1e-12f; });
  fill(zero, [](float& v) { v = 0; });
  x[infinite * shape.inputs + 5] = std::numeric_limits<float>::infinity();
  x[none * shape.inputs + 700] = NAN;
  std::vector<double> bounds;
  for (uint64_t r = 0; r < shape.rows; ++r) {
    const std::vector<float> row(&x[r * shape.inputs], &x[r * shape.inputs] + shape.inputs);
    bounds.push_back(kOfBound * Bound(shape, Largest(row), Largest(w)));
  }
  const WeightView view = ViewOf(w, shape.inputs);
  const PackedMatrix matrix = PackedMatrix::Pack({&view, 1}, Packing::kF32, CpuTier());
  for (const MatmulKernels* kernels : internal::SupportedMatmul()) {
    std::vector<float> y;
    Multiply(*kernels, matrix, x, {}, &y);
    for (uint64_t i = 0; i < y.size(); ++i) {
      const uint64_t r = i / shape.outputs, o = i % shape.outputs;
      const float* row = &x[r * shape.inputs];
      if (r == infinite) {
        ASSERT_EQ(y[i], w[o * shape.inputs + 5] * row[5]) << kernels->name << " output " << o;
      } else if (r == none) {
        ASSERT_TRUE(std::isnan(y[i])) << kernels->name << " output " << o;
      } else {
        ASSERT_NEAR(y[i], Exact(row, &w[o * shape.inputs], shape.inputs), bounds[r])
            << kernels->name << " row " << r << " output " << o;
      }
    }
  }
}

TEST(MultiplyFloats, LargeProductsTakeBiasActivationAndAResidualInTheirOwnPlace) {
  for (const Shape& shape : {Shape{131, 256, 200}, Shape{131, 800, 200}}) {
    const std::vector<float> w = Noise(shape.outputs * shape.inputs, 0.05f, 5);
    const std::vector<float> x = Noise(shape.rows * shape.inputs, 1, 6);
    const std::vector<float> bias = Noise(shape.outputs, 1, 7);
    const std::vector<float> residual = Noise(shape.rows * shape.outputs, 1, 8);
    const WeightView view = ViewOf(w, shape.inputs);
    const PackedMatrix matrix = PackedMatrix::Pack({&view, 1}, Packing::kF32, CpuTier());
    for (const MatmulKernels* kernels : internal::SupportedMatmul()) {
      std::vector<float> y = residual;
      Multiply(*kernels, matrix, x, {bias.data(), Activation::kRelu, y.data(), false}, &y);
      for (uint64_t i = 0; i < y.size(); ++i) {
        const uint64_t r = i / shape.outputs, o = i % shape.outputs;
        const double sum =
            Exact(&x[r * shape.inputs], &w[o * shape.inputs], shape.inputs) + bias[o];
        ASSERT_NEAR(y[i], std::max(sum, 0.0) + residual[i], 1e-4) << kernels->name << " " << i;
      }
    }
  }
}

TEST(MultiplyFloats, LargeGatedProductsMultiplyTheActivatedGateWithUp) {
  const Shape shape = {130, 576, 150};
  const std::vector<float> gate = Noise(shape.outputs * shape.inputs, 0.05f, 9);
  const std::vector<float> up = Noise(shape.outputs * shape.inputs, 0.05f, 10);
  const std::vector<float> x = Noise(shape.rows * shape.inputs, 1, 11);
  const PackedMatrix both =
      PackGated(ViewOf(gate, shape.inputs), ViewOf(up, shape.inputs), Packing::kF32, CpuTier());
  for (const MatmulKernels* kernels : internal::SupportedMatmul()) {
    std::vector<float> y;
    Multiply(*kernels, both, x, {nullptr, Activation::kRelu, nullptr, true}, &y);
    for (uint64_t i = 0; i < y.size(); ++i) {
      const float* row = &x[i / shape.outputs * shape.inputs];
      const uint64_t at = i % shape.outputs * shape.inputs;
      const double expected =
          std::max(Exact(row, &gate[at], shape.inputs), 0.0) * Exact(row, &up[at], shape.inputs);
      ASSERT_NEAR(y[i], expected, 1e-4) << kernels->name << " " << i;
    }
  }
}

}  // namespace
}  // namespace hearth::tensor

#include "tensor/kernels/packed_matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "base/error.h"
#include "tensor/blocks.h"
#include "tensor/float_formats.h"
#include "tensor/kernels/rows_layout.h"
#include "tensor/thread_team.h"

namespace hearth::tensor {
namespace {

using internal::MatmulKernels;

// All that the machine can run, and AMX as the emulation of its instructions computes it.
std::vector<const MatmulKernels*> TestedMatmul() {
  std::vector<const MatmulKernels*> tested = internal::SupportedMatmul();
#if defined(__x86_64__)
  if (GetCpuExtensions().avx512_vnni && GetCpuExtensions().avx512_bf16) {
    tested.push_back(&internal::EmulatedAmxMatmul());
  }
#endif
  return tested;
}

// A weight with its bytes, and what they are worth.
struct TestWeight {
  std::vector<uint8_t> bytes;
  WeightView view;
  std::vector<float> values;
};

TestWeight Seal(TestWeight weight) {
  weight.view.data = weight.bytes.data();
  weight.values = ToFloats(weight.view);
  return weight;
}

TestWeight FloatWeight(uint64_t rows, uint64_t columns, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.05f);
  std::vector<float> values(rows * columns);
  for (float& value : values) value = normal(random);
  TestWeight weight{std::vector<uint8_t>(values.size() * 4), {rows, columns, BlockType::kF32}, {}};
  std::memcpy(weight.bytes.data(), values.data(), weight.bytes.size());
  return Seal(std::move(weight));
}

// Any bytes are a valid block; only its fp16 numbers are chosen, so that values are sane.
TestWeight BlockWeight(BlockType type, uint64_t rows, uint64_t columns, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> unit(0.001f, 0.01f);
  TestWeight weight{{}, {rows, columns, type}, {}};
  weight.bytes.resize(rows * weight.view.row_bytes());
  for (uint8_t& byte : weight.bytes) byte = static_cast<uint8_t>(random());
  std::vector<uint64_t> halfs = {0};
  if (type == BlockType::kQ4_1 || type == BlockType::kQ5_1 || type == BlockType::kQ4_K ||
      type == BlockType::kQ5_K) {
    halfs = {0, 2};
  }
  if (type == BlockType::kQ6_K) halfs = {208};
  if (type == BlockType::kQ3_K) halfs = {108};
  const uint64_t block_bytes = InfoOf(type).block_bytes;
  for (uint64_t at = 0; at < weight.bytes.size(); at += block_bytes) {
    for (uint64_t half : halfs) {
      const uint16_t value = FloatToHalf(unit(random) * (random() % 2 ? 1.0f : -1.0f));
      std::memcpy(weight.bytes.data() + at + half, &value, 2);
    }
  }
  return Seal(std::move(weight));
}

// Rows of which the first has only its largest magnitude: the sums that would overflow first.
std::vector<float> Activations(uint64_t rows, uint64_t columns, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> x(rows * columns);
  for (float& value : x) value = normal(random);
  for (uint64_t k = 0; k < columns; ++k) x[k] = k % 3 == 0 ? -2.0f : 2.0f;
  return x;
}

// The product with a chosen set of kernels, whatever the machine would choose.
std::vector<float> Product(const MatmulKernels& kernels, const PackedMatrix& matrix,
                           const std::vector<float>& x, uint64_t rows,
                           const Epilogue& epilogue = {}) {
  const uint32_t inputs = matrix.inputs();
  const internal::RowsLayout layout =
      internal::LayoutOfRows(matrix.packing(), kernels.bf16_rows, rows, inputs);
  std::vector<uint8_t> packed(layout.bytes);
  internal::FillRows(kernels, matrix.packing(), {x.data(), inputs, inputs}, 0, rows, layout,
                     packed.data());
  internal::MatmulCall call = internal::CallOf(matrix, 0, matrix.outputs());
  std::vector<float> out(rows * call.columns, NAN);
  call.rows = internal::ViewOf(packed.data(), layout);
  call.row_end = rows;
  call.epilogue = &epilogue;
  call.out = out.data();
  call.out_stride = call.columns;
  kernels.multiply[static_cast<int>(matrix.packing())](call);
  return out;
}

float Largest(const float* values, uint64_t count) {
  float largest = 0;
  for (uint64_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs(values[i]));
  return largest;
}

struct Expected {
  double value = 0, bound = 0;
};

// The exact product of one row and one output, and the error that the packing states for it.
Expected Exact(Packing packing, const float* x, const float* w, uint64_t columns,
               bool keeps_weights) {
  Expected expected;
  double magnitudes = 0;
  const uint64_t group = internal::IsGroup(packing) ? 32 : columns;
  const double w_step = keeps_weights ? 0 : Largest(w, columns) / 127 / 2;
  for (uint64_t begin = 0; begin < columns; begin += group) {
    const uint64_t count = std::min(group, columns - begin);
    const double x_step = Largest(x + begin, count) / 127 / 2;
    for (uint64_t k = begin; k < begin + count; ++k) {
      expected.value += double{x[k]} * w[k];
      magnitudes += std::fabs(double{x[k]} * w[k]);
      if (packing == Packing::kInt8 || internal::IsGroup(packing)) {
        expected.bound += std::fabs(w[k]) * x_step + std::fabs(x[k]) * w_step + x_step * w_step;
      }
    }
  }
  expected.bound += magnitudes * (packing == Packing::kBf16 ? 0x1.02p-7 : 4e-6) + 1e-30;
  return expected;
}

void ExpectProduct(const MatmulKernels& kernels, Packing packing, const TestWeight& weight,
                   uint64_t rows) {
  const uint64_t columns = weight.view.columns, outputs = weight.view.rows;
  const bool block = InfoOf(weight.view.type).block_elements > 1;
  const PackedMatrix matrix = PackedMatrix::Pack({&weight.view, 1}, packing, CpuTier());
  const std::vector<float> x = Activations(rows, columns, 7);
  const std::vector<float> y = Product(kernels, matrix, x, rows);
  for (uint64_t r = 0; r < rows; ++r) {
    for (uint64_t o = 0; o < outputs; ++o) {
      const Expected expected = Exact(packing, x.data() + r * columns,
                                      weight.values.data() + o * columns, columns, block);
      ASSERT_NEAR(y[r * outputs + o], expected.value, expected.bound)
          << kernels.name << " packing " << static_cast<int>(packing) << " "
          << InfoOf(weight.view.type).name << " row " << r << " of " << rows << " output " << o
          << " of " << outputs << " columns " << columns;
    }
  }
}

struct BlockCase {
  BlockType type;
  Packing packing;
};
constexpr BlockCase kBlockCases[] = {
    {BlockType::kQ4_0, Packing::kGroup4}, {BlockType::kQ4_1, Packing::kGroup4},
    {BlockType::kQ4_K, Packing::kGroup4}, {BlockType::kQ5_0, Packing::kGroup5},
    {BlockType::kQ5_1, Packing::kGroup5}, {BlockType::kQ5_K, Packing::kGroup5},
    {BlockType::kQ6_K, Packing::kGroup6}, {BlockType::kQ3_K, Packing::kGroup6},
    {BlockType::kQ8_0, Packing::kGroup8}, {BlockType::kIq4Nl, Packing::kGroup8},
};

constexpr uint64_t kRowCounts[] = {1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 70};

TEST(PackedMatrix, PlainWeightsGiveTheProductWithinTheStatedErrorInEveryTier) {
  for (const MatmulKernels* kernels : TestedMatmul()) {
    for (Packing packing : {Packing::kF32, Packing::kBf16, Packing::kInt8}) {
      for (uint64_t columns : {1, 3, 31, 64, 100, 257}) {
        for (uint64_t outputs : {1, 15, 16, 17, 50, 100}) {
          const TestWeight weight = FloatWeight(outputs, columns, 3);
          ExpectProduct(*kernels, packing, weight, 1 + (columns + outputs) % 10);
          if (HasFatalFailure()) return;
        }
      }
      const TestWeight weight = FloatWeight(83, 75, 4);
      for (uint64_t rows : kRowCounts) ExpectProduct(*kernels, packing, weight, rows);
    }
  }
}

TEST(PackedMatrix, BlocksKeepTheirValuesInEveryTier) {
  for (const MatmulKernels* kernels : TestedMatmul()) {
    for (const BlockCase& test : kBlockCases) {
      const uint64_t block = InfoOf(test.type).block_elements;
      for (uint64_t blocks : {1, 2, 3}) {
        const TestWeight weight = BlockWeight(test.type, 35, blocks * block, 5);
        for (uint64_t rows : kRowCounts) {
          ExpectProduct(*kernels, test.packing, weight, rows);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

// A row with a single 127 has no rounding: each product is 127 times the weight that Dequantize
// gives, but for the rounding of a few fp32 operations.
TEST(PackedMatrix, OneHotRowsReadTheBlocksValues) {
  for (const MatmulKernels* kernels : TestedMatmul()) {
    for (const BlockCase& test : kBlockCases) {
      const uint64_t columns = 256, outputs = 17;
      const TestWeight weight = BlockWeight(test.type, outputs, columns, 6);
      const PackedMatrix matrix = PackedMatrix::Pack({&weight.view, 1}, test.packing, CpuTier());
      std::vector<float> x(columns * columns);
      for (uint64_t k = 0; k < columns; ++k) x[k * columns + k] = 127;
      const std::vector<float> y = Product(*kernels, matrix, x, columns);
      for (uint64_t o = 0; o < outputs; ++o) {
        const float* w = weight.values.data() + o * columns;
        const float largest = Largest(w, columns);
        for (uint64_t k = 0; k < columns; ++k) {
          ASSERT_NEAR(y[k * outputs + o] / 127, w[k], largest * 3e-7)
              << kernels->name << " " << InfoOf(test.type).name << " output " << o << " input "
              << k;
        }
      }
    }
  }
}

TEST(PackedMatrix, PlainWeightsAreQuantisedIntoGroups) {
  for (Packing packing : {Packing::kGroup8, Packing::kGroup6, Packing::kGroup5, Packing::kGroup4}) {
    const double step = packing == Packing::kGroup8   ? 1.0 / 127
                        : packing == Packing::kGroup6 ? 1.0 / 31
                        : packing == Packing::kGroup5 ? 1.0 / 15
                                                      : 1.0 / 7;
    for (uint64_t columns : {100, 256}) {
      const TestWeight weight = FloatWeight(20, columns, 8);
      const PackedMatrix matrix = PackedMatrix::Pack({&weight.view, 1}, packing, CpuTier());
      std::vector<float> x(columns * columns);
      for (uint64_t k = 0; k < columns; ++k) x[k * columns + k] = 127;
      const std::vector<float> y = Product(internal::MatmulFor(CpuTier()), matrix, x, columns);
      for (uint64_t o = 0; o < 20; ++o) {
        const float* w = weight.values.data() + o * columns;
        for (uint64_t k = 0; k < columns; ++k) {
          ASSERT_NEAR(y[k * 20 + o] / 127, w[k], Largest(w, columns) * step) << columns;
        }
      }
    }
  }
}

double Activate(Activation activation, double x) {
  switch (activation) {
    case Activation::kGelu:
      return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kGeluTanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kQuickGelu:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::kRelu:
      return std::max(x, 0.0);
    case Activation::kReluSquared:
      return std::max(x, 0.0) * std::max(x, 0.0);
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::kTanh:
      return std::tanh(x);
    default:
      return x;
  }
}

constexpr Activation kActivations[] = {
    Activation::kNone,      Activation::kGelu, Activation::kGeluTanh,
    Activation::kQuickGelu, Activation::kRelu, Activation::kSilu,
    Activation::kSigmoid,   Activation::kTanh, Activation::kReluSquared,
};

TEST(PackedMatrix, EpilogueAddsBiasActivatesAndAddsTheResidual) {
  const uint64_t columns = 40, outputs = 37, rows = 11;
  TestWeight weight = FloatWeight(outputs, columns, 9);
  const PackedMatrix matrix = PackedMatrix::Pack({&weight.view, 1}, Packing::kF32, CpuTier());
  std::vector<float> x = Activations(rows, columns, 10);
  for (float& value : x) value *= 10;
  const std::vector<float> bias = Activations(1, outputs, 11);
  const std::vector<float> residual = Activations(rows, outputs, 12);
  for (const MatmulKernels* kernels : TestedMatmul()) {
    for (Activation activation : kActivations) {
      const Epilogue epilogue{bias.data(), activation, residual.data(), false};
      const std::vector<float> y = Product(*kernels, matrix, x, rows, epilogue);
      for (uint64_t r = 0; r < rows; ++r) {
        for (uint64_t o = 0; o < outputs; ++o) {
          const double sum =
              Exact(Packing::kF32, &x[r * columns], &weight.values[o * columns], columns, true)
                  .value +
              bias[o];
          const double expected = Activate(activation, sum) + residual[r * outputs + o];
          ASSERT_NEAR(y[r * outputs + o], expected, 1e-5 * (1 + sum * sum))
              << kernels->name << " activation " << static_cast<int>(activation) << " of " << sum;
        }
      }
    }
  }
}

TEST(PackedMatrix, GatedMatricesMultiplyTheActivatedGateWithUp) {
  const uint64_t columns = 64, rows = 7;
  for (const MatmulKernels* kernels : TestedMatmul()) {
    for (Packing packing : {Packing::kF32, Packing::kInt8, Packing::kGroup4, Packing::kGroup8}) {
      for (uint64_t outputs : {5, 16, 40}) {
        const TestWeight gate = FloatWeight(outputs, columns, 13);
        const TestWeight up = FloatWeight(outputs, columns, 14);
        const PackedMatrix both = PackGated(gate.view, up.view, packing, CpuTier());
        ASSERT_EQ(both.outputs(), 2 * outputs);
        ASSERT_EQ(both.panel(), 32u);
        const PackedMatrix gates = PackedMatrix::Pack({&gate.view, 1}, packing, CpuTier());
        const PackedMatrix ups = PackedMatrix::Pack({&up.view, 1}, packing, CpuTier());
        const std::vector<float> x = Activations(rows, columns, 15);
        const std::vector<float> bias = Activations(1, 2 * outputs, 16);
        const std::vector<float> g =
            Product(*kernels, gates, x, rows, {bias.data(), Activation::kSilu, nullptr, false});
        const std::vector<float> u =
            Product(*kernels, ups, x, rows, {bias.data() + outputs, {}, nullptr, false});
        const std::vector<float> y =
            Product(*kernels, both, x, rows, {bias.data(), Activation::kSilu, nullptr, true});
        for (uint64_t i = 0; i < y.size(); ++i) {
          ASSERT_NEAR(y[i], g[i] * u[i], 1e-5) << kernels->name << " " << i;
        }
      }
    }
  }
}

TEST(PackedMatrix, PartsFollowOneAnother) {
  const TestWeight q = FloatWeight(20, 64, 17), k = FloatWeight(7, 64, 18);
  const WeightView parts[] = {q.view, k.view};
  const PackedMatrix matrix = PackedMatrix::Pack(parts, Packing::kF32, CpuTier());
  ASSERT_EQ(matrix.outputs(), 27u);
  const std::vector<float> x = Activations(3, 64, 19);
  const std::vector<float> y = Product(internal::MatmulFor(CpuTier()), matrix, x, 3);
  for (uint64_t r = 0; r < 3; ++r) {
    for (uint64_t o = 0; o < 27; ++o) {
      const float* w = o < 20 ? &q.values[o * 64] : &k.values[(o - 20) * 64];
      EXPECT_NEAR(y[r * 27 + o], Exact(Packing::kF32, &x[r * 64], w, 64, true).value, 1e-5);
    }
  }
}

// The public calls, threads on disjoint ranges of outputs, against one call for all.
TEST(Multiply, ThreadsTakeDisjointRanges) {
  const uint32_t columns = 96, outputs = 205;
  const uint64_t rows = 21;
  const TestWeight weight = FloatWeight(outputs, columns, 20);
  const std::vector<float> x = Activations(rows, columns, 21);
  ThreadTeam team(3);
  for (Tier tier : SupportedTiers()) {
    for (Packing packing :
         {Packing::kF32, Packing::kBf16, Packing::kInt8, Packing::kGroup8, Packing::kGroup4}) {
      const PackedMatrix matrix = PackedMatrix::Pack({&weight.view, 1}, packing, tier);
      PackedRows packed;
      packed.Prepare(packing, tier, rows, columns);
      packed.Fill(x.data(), columns, 0, rows);
      std::vector<float> whole(rows * outputs, NAN), parts(rows * outputs, NAN);
      Multiply(matrix, packed, 0, outputs, {}, whole.data(), outputs);
      PackedRows shared;
      shared.Prepare(packing, tier, rows, columns);
      team.Begin();
      team.Run([&](int member) {
        auto [begin, end] = team.Part(member, rows);
        shared.Fill(x.data(), columns, begin, end);
      });
      team.Run([&](int member) {
        auto [begin, end] = team.Part(member, outputs, matrix.panel());
        Multiply(matrix, shared, static_cast<uint32_t>(begin), static_cast<uint32_t>(end), {},
                 parts.data(), outputs);
      });
      team.End();
      ASSERT_EQ(whole, parts) << TierName(tier) << " packing " << static_cast<int>(packing);
    }
  }
}

TEST(Multiply, RowsOutsideTheRangeStayAsTheyAre) {
  const TestWeight weight = FloatWeight(16, 32, 22);
  const PackedMatrix matrix = PackedMatrix::Pack({&weight.view, 1}, Packing::kInt8, CpuTier());
  const std::vector<float> x = Activations(5, 32, 23);
  PackedRows rows;
  rows.Prepare(Packing::kInt8, CpuTier(), 5, 32);
  rows.Fill(x.data(), 32, 0, 5);
  std::vector<float> whole(5 * 16), some(5 * 16, -1);
  Multiply(matrix, rows, 0, 16, {}, whole.data(), 16);
  Multiply(matrix, rows, 1, 3, 0, 16, {}, some.data(), 16);
  for (uint64_t i = 0; i < some.size(); ++i) {
    EXPECT_EQ(some[i], i / 16 >= 1 && i / 16 < 3 ? whole[i] : -1.0f) << i;
  }
}

TEST(Multiply, TakesFloatRowsAsTheyLie) {
  const uint64_t columns = 75, outputs = 83, stride = 80;
  const TestWeight weight = FloatWeight(outputs, columns, 25);
  for (Tier tier : SupportedTiers()) {
    const PackedMatrix matrix = PackedMatrix::Pack({&weight.view, 1}, Packing::kF32, tier);
    for (uint64_t rows : {1, 11, 120}) {
      const std::vector<float> x = Activations(rows, stride, 26);
      PackedRows packed;
      packed.Prepare(Packing::kF32, tier, rows, columns);
      packed.Fill(x.data(), stride, 0, rows);
      const PackedRows lent = PackedRows::Borrow(x.data(), stride, rows, columns, tier);
      std::vector<float> copied(rows * outputs), borrowed(rows * outputs);
      Multiply(matrix, packed, 0, outputs, {}, copied.data(), outputs);
      Multiply(matrix, lent, 0, outputs, {}, borrowed.data(), outputs);
      ASSERT_EQ(copied, borrowed) << rows << " rows";
    }
  }
}

TEST(Multiply, RefusesRowsOfAnotherMatrixAndRangesThatAreNone) {
  const TestWeight weight = FloatWeight(40, 32, 24);
  const PackedMatrix matrix = PackedMatrix::Pack({&weight.view, 1}, Packing::kInt8, CpuTier());
  PackedRows rows;
  std::vector<float> out(40);
  rows.Prepare(Packing::kF32, CpuTier(), 1, 32);
  EXPECT_THROW(Multiply(matrix, rows, 0, 40, {}, out.data(), 40), Error);
  rows.Prepare(Packing::kInt8, CpuTier(), 1, 48);
  EXPECT_THROW(Multiply(matrix, rows, 0, 40, {}, out.data(), 40), Error);
  rows.Prepare(Packing::kInt8, CpuTier(), 1, 32);
  EXPECT_THROW(Multiply(matrix, rows, 8, 40, {}, out.data(), 40), Error);
  EXPECT_THROW(Multiply(matrix, rows, 0, 64, {}, out.data(), 40), Error);
  EXPECT_THROW(Multiply(matrix, rows, 0, 2, 0, 40, {}, out.data(), 40), Error);
}

TEST(PackedMatrix, BytesGiveTheSameMatrixAgain) {
  for (const BlockCase& test : kBlockCases) {
    const TestWeight weight = BlockWeight(test.type, 20, 256, 25);
    const PackedMatrix matrix = PackedMatrix::Pack({&weight.view, 1}, test.packing, CpuTier());
    const std::vector<uint8_t> bytes(matrix.bytes().begin(), matrix.bytes().end());
    const PackedMatrix again = PackedMatrix::FromBytes(bytes, CpuTier());
    EXPECT_EQ(again.inputs(), matrix.inputs());
    EXPECT_EQ(again.outputs(), matrix.outputs());
    const std::vector<float> x = Activations(2, 256, 26);
    const MatmulKernels& kernels = internal::MatmulFor(CpuTier());
    EXPECT_EQ(Product(kernels, again, x, 2), Product(kernels, matrix, x, 2));
  }
}

TEST(PackedMatrix, RefusesBytesCutOrChanged) {
  const TestWeight weight = FloatWeight(20, 33, 27);
  const PackedMatrix matrix = PackedMatrix::Pack({&weight.view, 1}, Packing::kInt8, CpuTier());
  std::vector<uint8_t> bytes(matrix.bytes().begin(), matrix.bytes().end());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(PackedMatrix::FromBytes({bytes.data(), size}, CpuTier()), Error) << size;
  }
  for (size_t at = 0; at < 32; ++at) {
    for (int flip : {1, 128}) {
      bytes[at] ^= static_cast<uint8_t>(flip);
      const bool free = at == 8 || at == 12 || (at >= 18 && at < 24);
      // Sizes may change within a panel's padding; a matrix of two panels may be a gated one.
      if (!free) {
        EXPECT_THROW(PackedMatrix::FromBytes(bytes, CpuTier()), Error) << at;
      }
      bytes[at] ^= static_cast<uint8_t>(flip);
    }
  }
}

TEST(PackedMatrix, RefusesWeightsWithoutSuchAPacking) {
  const TestWeight six = BlockWeight(BlockType::kQ6_K, 4, 256, 28);
  EXPECT_THROW(PackedMatrix::Pack({&six.view, 1}, Packing::kGroup4, CpuTier()), Error);
  const TestWeight four = BlockWeight(BlockType::kQ4_0, 4, 256, 29);
  const TestWeight super = BlockWeight(BlockType::kQ4_K, 4, 256, 30);
  const WeightView mixed[] = {four.view, super.view};
  EXPECT_THROW(PackedMatrix::Pack(mixed, Packing::kGroup4, CpuTier()), Error);
  const TestWeight narrow = FloatWeight(4, 32, 31);
  const WeightView unequal[] = {four.view, narrow.view};
  EXPECT_THROW(PackedMatrix::Pack(unequal, Packing::kF32, CpuTier()), Error);
  EXPECT_THROW(PackedMatrix::Pack({}, Packing::kF32, CpuTier()), Error);
}

TEST(ChoosePacking, NativeKeepsEveryValue) {
  for (const BlockCase& test : kBlockCases) {
    const TestWeight weight = BlockWeight(test.type, 1, 256, 32);
    EXPECT_EQ(ChoosePacking(weight.view, Precision::kNative, CpuTier()), test.packing);
  }
  auto native = [](BlockType type) {
    return ChoosePacking({1, 256, type, nullptr}, Precision::kNative, CpuTier());
  };
  EXPECT_EQ(native(BlockType::kF32), Packing::kF32);
  EXPECT_EQ(native(BlockType::kF16), Packing::kF32);
  EXPECT_EQ(native(BlockType::kBf16), Packing::kBf16);
  EXPECT_EQ(native(BlockType::kIq2S), Packing::kF32);
}

}  // namespace
}  // namespace hearth::tensor

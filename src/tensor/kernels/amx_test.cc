// The products by tiles of AMX with an emulation of its instructions, on every machine: the tiles'
// configuration, where tails end, and the sums, which for int8 are the other kernels' to the bit.
// Here with the lanes of the portable kernels; packed_matrix_test.cc has those of AVX-512.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tensor/kernels/amx_tiles.h"
#include "tensor/kernels/matmul_prelude.h"
#include "tensor/kernels/rows_layout.h"

namespace hearth::tensor::internal {
namespace {
namespace math {
#include "tensor/kernels/vector_math_portable.inc"
}  // namespace math

#include "tensor/kernels/matmul_lanes_portable.inc"

#include "tensor/kernels/matmul_activation.inc"

#include "tensor/kernels/matmul_tiles.inc"

#include "tensor/kernels/matmul_amx.inc"

// A product with memory of its own exactly as large as it says, so that a sanitizer sees each
// reach beyond.
struct Product {
  Product(Packing packing, uint64_t rows, uint32_t outputs, uint32_t inputs, uint32_t seed)
      : packing(packing), row_count(rows), outputs(outputs), inputs(inputs) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, 1);
    std::vector<float> w(uint64_t{outputs} * inputs);
    x.resize(rows * inputs);
    for (float& value : w) value = normal(random);
    for (float& value : x) value = normal(random);
    bias.resize(outputs);
    for (float& value : bias) value = normal(random);
    WeightView view{outputs, inputs, BlockType::kF32, reinterpret_cast<const uint8_t*>(w.data())};
    matrix = PackedMatrix::Pack({&view, 1}, packing, Tier::kPortable);
    layout = LayoutOfRows(packing, packing == Packing::kBf16, rows, inputs);
    packed.assign(layout.bytes, 0xA5);  // what nobody writes stands for what was there before
    if (packing == Packing::kBf16) {
      for (uint64_t r = 0; r < rows; ++r) {
        std::vector<uint16_t> row(layout.stride / 2);
        for (uint32_t i = 0; i < inputs; ++i) row[i] = FloatToBf16(x[r * inputs + i]);
        std::memcpy(packed.data() + r * layout.stride, row.data(), layout.stride);
      }
    } else {
      FillRows(PortableMatmul(), packing, {x.data(), inputs, inputs}, 0, rows, layout,
               packed.data());
    }
  }

  std::vector<float> Run(void (*multiply)(const MatmulCall&), const uint8_t* rows,
                         const RowsLayout& rows_layout, uint64_t begin, uint64_t end) const {
    Epilogue epilogue;
    epilogue.bias = bias.data();
    epilogue.activation = Activation::kRelu;
    std::vector<float> out(row_count * outputs, -1);
    MatmulCall call = CallOf(matrix, 0, outputs);
    call.rows = ViewOf(rows, rows_layout);
    call.row_begin = begin, call.row_end = end;
    call.epilogue = &epilogue;
    call.out = out.data(), call.out_stride = outputs;
    multiply(call);
    return out;
  }
  std::vector<float> Tiled(uint64_t begin, uint64_t end) const {
    return Run(packing == Packing::kInt8 ? MultiplyTiles<EmulatedTiles, Packing::kInt8>
                                         : MultiplyTiles<EmulatedTiles, Packing::kBf16>,
               packed.data(), layout, begin, end);
  }
  // With the portable kernels, whose rows of kBf16 are fp32: what bf16 rows are worth.
  std::vector<float> Plain(uint64_t begin, uint64_t end) const {
    auto* multiply = PortableMatmul().multiply[static_cast<int>(packing)];
    if (packing == Packing::kInt8) return Run(multiply, packed.data(), layout, begin, end);
    std::vector<float> rounded = x;
    for (float& value : rounded) value = Bf16ToFloat(FloatToBf16(value));
    RowsLayout wide = LayoutOfRows(packing, false, row_count, inputs);
    std::vector<uint8_t> rows(wide.bytes);
    FillRows(PortableMatmul(), packing, {rounded.data(), inputs, inputs}, 0, row_count, wide,
             rows.data());
    return Run(multiply, rows.data(), wide, begin, end);
  }

  Packing packing;
  uint64_t row_count;
  uint32_t outputs, inputs;
  std::vector<float> x, bias;
  PackedMatrix matrix;
  RowsLayout layout;
  std::vector<uint8_t> packed;
};

void ExpectSame(const Product& product, uint64_t begin, uint64_t end) {
  uint64_t faults = EmulatedTiles::faults();
  std::vector<float> made = product.Tiled(begin, end), expected = product.Plain(begin, end);
  EXPECT_EQ(EmulatedTiles::faults(), faults);
  for (uint64_t i = 0; i < made.size(); ++i) {
    if (product.packing == Packing::kInt8) {
      ASSERT_EQ(made[i], expected[i]) << i;
    } else {
      ASSERT_NEAR(made[i], expected[i], 1e-5 * (4 + product.inputs)) << i;
    }
  }
}

TEST(AmxProducts, AreThoseOfThePortableKernelsForEveryTail) {
  for (Packing packing : {Packing::kInt8, Packing::kBf16}) {
    for (uint32_t inputs : {1u, 4u, 31u, 32u, 33u, 63u, 64u, 65u, 100u, 128u, 200u}) {
      for (uint64_t rows : {1, 15, 16, 17, 32, 33, 50}) {
        for (uint32_t outputs : {1u, 16u, 17u, 32u, 40u}) {
          SCOPED_TRACE(testing::Message() << static_cast<int>(packing) << " inputs " << inputs
                                          << " rows " << rows << " outputs " << outputs);
          ExpectSame(Product(packing, rows, outputs, inputs, 3), 0, rows);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

// Many rows of many inputs are more than one block; parts of the rows are what a thread may be
// given.
TEST(AmxProducts, GoThroughBlocksAndPartsOfRows) {
  for (Packing packing : {Packing::kInt8, Packing::kBf16}) {
    Product product(packing, 300, 48, 2100, 4);
    ExpectSame(product, 0, 300);
    ExpectSame(product, 7, 8);
    ExpectSame(product, 130, 299);
    ExpectSame(product, 20, 20);
  }
}

// The emulation counts what the machine would end the program for; else nothing above means much.
TEST(AmxProducts, TheEmulationSeesWhatTheMachineRefuses) {
  alignas(64) uint8_t memory[1024] = {};
  auto faults_of = [&](auto&& program) {
    uint64_t before = EmulatedTiles::faults();
    program();
    return EmulatedTiles::faults() - before;
  };
  EXPECT_EQ(faults_of([&] {
              EmulatedTiles::Configure(AmxConfig(20, 2));
              EmulatedTiles::Load<5>(memory, 64);
              EmulatedTiles::Load<7>(memory, 64);
              EmulatedTiles::Zero<3>();
              EmulatedTiles::MultiplyBytes<3, 5, 7>();
            }),
            0u);
  EXPECT_GT(faults_of([&] { EmulatedTiles::MultiplyBytes<0, 5, 7>(); }), 0u);  // 16 rows and 4
  EXPECT_GT(faults_of([&] {
              EmulatedTiles::Configure(AmxConfig(16, 1));
              EmulatedTiles::Load<7>(memory, 64);  // not configured
            }),
            0u);
  EXPECT_GT(faults_of([&] {
              EmulatedTiles::Release();
              EmulatedTiles::Zero<0>();
            }),
            0u);
  EXPECT_GT(faults_of([&] {
              TileConfig config;
              config.rows[0] = 17, config.row_bytes[0] = 64;
              EmulatedTiles::Configure(config);
            }),
            0u);
}

// By hand: a row of A is (1, -2, 3, -128 ...), B holds unsigned bytes.
TEST(AmxProducts, TheEmulationTakesRowsAsSignedAndPanelsAsUnsigned) {
  TileConfig config;
  for (int tile : {0, 1, 2}) config.rows[tile] = 1, config.row_bytes[tile] = 4;
  EmulatedTiles::Configure(config);
  const uint8_t a[4] = {1, 0xFE, 3, 0x80}, b[4] = {255, 200, 0, 129};
  EmulatedTiles::Load<1>(a, 4);
  EmulatedTiles::Load<2>(b, 4);
  EmulatedTiles::Zero<0>();
  EmulatedTiles::MultiplyBytes<0, 1, 2>();
  EmulatedTiles::MultiplyBytes<0, 1, 2>();
  int32_t sum = 0;
  EmulatedTiles::Store<0>(&sum, 4);
  EXPECT_EQ(sum, 2 * (255 - 2 * 200 - 128 * 129));
  EmulatedTiles::Release();
}

#if defined(__x86_64__)
TEST(AmxProducts, TheCheckBeforeTheirUseFindsWrongOnes) {
  if (!GetCpuExtensions().avx512_vnni || !GetCpuExtensions().avx512_bf16) return;
  EXPECT_TRUE(AgreesWithBf16(EmulatedAmxMatmul()));
  MatmulKernels wrong = EmulatedAmxMatmul();
  wrong.multiply[static_cast<int>(Packing::kInt8)] = [](const MatmulCall& call) {
    EmulatedAmxMatmul().multiply[static_cast<int>(Packing::kInt8)](call);
    call.out[5 * call.out_stride + 7] += 1;
  };
  EXPECT_FALSE(AgreesWithBf16(wrong));
  wrong = EmulatedAmxMatmul();
  wrong.multiply[static_cast<int>(Packing::kBf16)] = [](const MatmulCall& call) {
    EmulatedAmxMatmul().multiply[static_cast<int>(Packing::kBf16)](call);
    call.out[0] = std::nanf("");
  };
  EXPECT_FALSE(AgreesWithBf16(wrong));
}
#endif

}  // namespace
}  // namespace hearth::tensor::internal

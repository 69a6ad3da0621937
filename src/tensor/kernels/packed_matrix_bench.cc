// Operations and weight bytes per second of one thread's products, by packing, rows and shape. The
// time includes Fill (rows to the packing's form), as every product of a model does.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "tensor/blocks.h"
#include "tensor/kernels/packed_matrix.h"

namespace hearth::tensor {
namespace {

struct Shape {
  uint32_t inputs, outputs;
};

struct Case {
  const char* name;
  Packing packing;
  BlockType type;  // what the weights are given as
};

constexpr Case kCases[] = {
    {"f32", Packing::kF32, BlockType::kF32},      {"bf16", Packing::kBf16, BlockType::kF32},
    {"int8", Packing::kInt8, BlockType::kF32},    {"Q8_0", Packing::kGroup8, BlockType::kQ8_0},
    {"Q6_K", Packing::kGroup6, BlockType::kQ6_K}, {"Q5_0", Packing::kGroup5, BlockType::kQ5_0},
    {"Q5_K", Packing::kGroup5, BlockType::kQ5_K}, {"Q4_0", Packing::kGroup4, BlockType::kQ4_0},
    {"Q4_1", Packing::kGroup4, BlockType::kQ4_1}, {"Q4_K", Packing::kGroup4, BlockType::kQ4_K},
};

// MiniLM's two, SmolLM2-135M's up projection and head, a square one, and one larger than caches.
constexpr Shape kShapes[] = {{384, 1536},  {1536, 384},  {576, 1536},
                             {576, 49152}, {2048, 2048}, {2048, 65536}};

std::vector<float> Noise(uint64_t count) {
  std::vector<float> values(count);
  uint64_t state = 1;
  for (float& value : values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value = static_cast<float>(static_cast<int64_t>(state) >> 32) * 0x1p-31f;
  }
  return values;
}

// The last matrix made: benchmarks run shape by shape and packing by packing.
const PackedMatrix& Matrix(const Case& test, const Shape& shape, Tier tier) {
  static std::string have;
  static PackedMatrix matrix;
  const std::string wanted = std::string(test.name) + "/" + std::to_string(shape.inputs) + "/" +
                             std::to_string(shape.outputs) + std::string(TierName(tier));
  if (wanted == have) return matrix;
  matrix = {};
  const std::vector<float> row = Noise(uint64_t{16} * shape.inputs);
  std::vector<uint8_t> block(BlockBytes(test.type, row.size()));
  Quantize(test.type, row, block);
  // 16 different rows, again and again: making noise of 500 MB would take longer than the bench.
  const WeightView some{16, shape.inputs, test.type, block.data()};
  const std::vector<WeightView> parts(shape.outputs / 16, some);
  matrix = PackedMatrix::Pack(parts, test.packing, tier);
  have = wanted;
  return matrix;
}

void BM_Multiply(benchmark::State& state, const Case& test, const Shape& shape, uint64_t rows,
                 Tier tier) {
  const PackedMatrix& matrix = Matrix(test, shape, tier);
  const std::vector<float> x = Noise(rows * shape.inputs);
  std::vector<float> out(rows * shape.outputs);
  PackedRows packed;
  for (auto _ : state) {
    packed.Prepare(test.packing, tier, rows, shape.inputs);
    packed.Fill(x.data(), shape.inputs, 0, rows);
    Multiply(matrix, packed, 0, shape.outputs, {}, out.data(), shape.outputs);
    benchmark::ClobberMemory();
  }
  const double products = static_cast<double>(rows) * shape.inputs * shape.outputs;
  state.counters["OP/s"] = benchmark::Counter(
      2 * products, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
  state.counters["B/s"] = benchmark::Counter(static_cast<double>(matrix.bytes().size()),
                                             benchmark::Counter::kIsIterationInvariantRate,
                                             benchmark::Counter::kIs1000);
}

// What reading memory alone gives, 4 sums of 64 bytes in flight.
void BM_Read(benchmark::State& state) {
  const std::vector<uint64_t> memory(uint64_t{32} << 20, 1);
  for (auto _ : state) {
    uint64_t sum[32] = {};
    for (uint64_t i = 0; i < memory.size(); i += 32) {
      for (int lane = 0; lane < 32; ++lane) sum[lane] += memory[i + lane];
    }
    benchmark::DoNotOptimize(sum);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * memory.size() * 8));
}
BENCHMARK(BM_Read);

void RegisterAll() {
  for (Tier tier : SupportedTiers()) {
    for (const Case& test : kCases) {
      for (const Shape& shape : kShapes) {
        if (shape.inputs % InfoOf(test.type).block_elements != 0) continue;
        for (uint64_t rows : {1, 4, 16, 64, 512}) {
          if (rows > 16 && shape.outputs == 65536) continue;
          const std::string name = std::string(test.name) + "/" + std::to_string(shape.inputs) +
                                   "x" + std::to_string(shape.outputs) + "/" +
                                   std::to_string(rows) + "/" + std::string(TierName(tier));
          benchmark::RegisterBenchmark(name.c_str(), BM_Multiply, test, shape, rows, tier);
        }
      }
    }
  }
}

}  // namespace
}  // namespace hearth::tensor

int main(int argc, char** argv) {
  hearth::tensor::RegisterAll();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

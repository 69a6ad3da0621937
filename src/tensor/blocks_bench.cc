// Bytes read and written per second by the block conversions, next to a copy of the same size of
// result.
#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tensor/blocks.h"

namespace hearth::tensor {
namespace {

// Results far larger than the caches: what a loader sees.
constexpr uint64_t kElements = 16u << 20;

std::vector<float> Values(uint64_t n) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.02f);
  std::vector<float> values(n);
  for (float& value : values) value = normal(random);
  return values;
}

void BM_Copy(benchmark::State& state) {
  std::vector<float> from(kElements, 1.0f), to(kElements);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), kElements * sizeof(float));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kElements * 8));
}
BENCHMARK(BM_Copy);

void BM_Dequantize(benchmark::State& state, BlockType type, Tier tier) {
  const BlockTypeInfo& info = InfoOf(type);
  // Bytes of 0x21 make every scale a small number: no slow subnormals.
  std::vector<uint8_t> in(kElements / info.block_elements * info.block_bytes, 0x21);
  std::vector<float> out(kElements);
  for (auto _ : state) {
    Dequantize(type, in, out, tier);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * (in.size() + kElements * 4)));
}

void BM_Quantize(benchmark::State& state, BlockType type, Tier tier) {
  std::vector<float> in = Values(256 * 1024);
  std::vector<uint8_t> out(BlockBytes(type, in.size()));
  for (auto _ : state) Quantize(type, in, out, tier);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * (out.size() + in.size() * 4)));
}

std::string NameOf(const char* what, const BlockTypeInfo& info, Tier tier) {
  return std::string(what) + "/" + std::string(info.name) + "/" + std::string(TierName(tier));
}

void RegisterAll() {
  for (Tier tier : SupportedTiers()) {
    for (const BlockTypeInfo& info : BlockTypes()) {
      auto type = static_cast<BlockType>(info.id);
      bool plain = info.block_elements == 1 && type != BlockType::kF16 && type != BlockType::kBf16;
      if (!plain) {
        benchmark::RegisterBenchmark(NameOf("Dequantize", info, tier).c_str(), BM_Dequantize, type,
                                     tier);
      }
      if (!plain && CanQuantize(type)) {
        benchmark::RegisterBenchmark(NameOf("Quantize", info, tier).c_str(), BM_Quantize, type,
                                     tier);
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

#include "storage/xet/xet_hash.h"

#include <benchmark/benchmark.h>

#include "base/hash.h"
#include "storage/xet/internal/test_bytes.h"

namespace hearth::storage {
namespace {

constexpr size_t kChunkBytes = 64 << 10;

void Finish(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<int64_t>(kChunkBytes) * state.iterations());
}

void BM_Sha256(benchmark::State& state) {
  std::string bytes = internal::SplitMixBytes(1, kChunkBytes);
  Sha256Hasher sha;
  for (auto _ : state) sha.Update(bytes);
  Finish(state);
}
BENCHMARK(BM_Sha256);

void BM_HashChunk(benchmark::State& state) {
  std::string bytes = internal::SplitMixBytes(1, kChunkBytes);
  for (auto _ : state) benchmark::DoNotOptimize(HashChunk(bytes));
  Finish(state);
}
BENCHMARK(BM_HashChunk);

// Both in one pass: what an upload costs whose files are proved while they arrive.
void BM_HashChunkAndSha256(benchmark::State& state) {
  std::string bytes = internal::SplitMixBytes(1, kChunkBytes);
  Sha256Hasher sha;
  for (auto _ : state) benchmark::DoNotOptimize(HashChunk(bytes, sha));
  Finish(state);
}
BENCHMARK(BM_HashChunkAndSha256);

}  // namespace
}  // namespace hearth::storage

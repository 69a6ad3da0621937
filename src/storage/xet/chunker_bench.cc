#include "storage/xet/chunker.h"

#include <benchmark/benchmark.h>

#include "storage/xet/internal/test_bytes.h"
#include "storage/xet/xet_hash.h"

namespace hearth::storage {
namespace {

constexpr size_t kBytes = 64 << 20;

void BM_Chunk(benchmark::State& state) {
  std::string bytes = internal::SplitMixBytes(1, kBytes);
  size_t chunks = 0;
  for (auto _ : state) {
    Chunker chunker;
    auto count = [&](std::string_view) { ++chunks; };
    chunker.Feed(bytes, count);
    chunker.Finish(count);
  }
  benchmark::DoNotOptimize(chunks);
  state.SetBytesProcessed(static_cast<int64_t>(kBytes) * state.iterations());
}
BENCHMARK(BM_Chunk);

void BM_HashChunk(benchmark::State& state) {
  std::string bytes = internal::SplitMixBytes(1, static_cast<size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(HashChunk(bytes));
  state.SetBytesProcessed(state.range(0) * state.iterations());
}
BENCHMARK(BM_HashChunk)->Arg(8 << 10)->Arg(64 << 10)->Arg(128 << 10);

}  // namespace
}  // namespace hearth::storage

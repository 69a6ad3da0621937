#include <benchmark/benchmark.h>

#include "codec/base64.h"

namespace hearth {
namespace {

void BM_Base64Decode(benchmark::State& state) {
  std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7919 >> 3);
  std::string text = Base64Encode(bytes);
  for (auto _ : state) benchmark::DoNotOptimize(Base64Decode(text));
  state.SetBytesProcessed(static_cast<int64_t>(text.size()) * state.iterations());
}
BENCHMARK(BM_Base64Decode)->Arg(4 << 10)->Arg(1 << 20)->Arg(32 << 20);

void BM_Base64Encode(benchmark::State& state) {
  std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(Base64Encode(bytes));
  state.SetBytesProcessed(state.range(0) * state.iterations());
}
BENCHMARK(BM_Base64Encode)->Arg(4 << 10)->Arg(1 << 20)->Arg(32 << 20);

}  // namespace
}  // namespace hearth

#include "storage/xet/xorb.h"

#include <benchmark/benchmark.h>

#include "storage/xet/chunker.h"
#include "storage/xet/internal/test_bytes.h"

namespace hearth::storage {
namespace {

constexpr size_t kBytes = 48 << 20;

std::string Content(int64_t kind) {
  if (kind == 0) return internal::SplitMixBytes(1, kBytes);
  if (kind == 1) return internal::SmallFloats(1, kBytes / 4);
  if (kind == 2) return internal::TextRows(1 << 20);
  return internal::NormalWeights(1, kBytes / 2);
}

XorbBuilder::Built Pack(std::string_view bytes) {
  XorbBuilder builder;
  Chunker chunker;
  auto add = [&](std::string_view chunk) { builder.Add(HashChunk(chunk), chunk); };
  chunker.Feed(bytes, add);
  chunker.Finish(add);
  return builder.Finish();
}

// Chunk, hash and pack: what converting a stored file costs. 0 random, 1 floats, 2 text, 3 weights
// in bfloat16.
void BM_PackXorb(benchmark::State& state) {
  std::string bytes = Content(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Pack(bytes).body.data());
  state.SetBytesProcessed(static_cast<int64_t>(bytes.size()) * state.iterations());
}
BENCHMARK(BM_PackXorb)->DenseRange(0, 3);

// The whole check of an upload, fed as the network delivers it. Bytes are those of the content.
void BM_ValidateXorb(benchmark::State& state) {
  XorbBuilder::Built built = Pack(Content(state.range(0)));
  std::string_view body = built.body;
  constexpr size_t kPiece = 512 << 10;
  for (auto _ : state) {
    XorbValidator validator;
    for (size_t at = 0; at < body.size(); at += kPiece) validator.Feed(body.substr(at, kPiece));
    benchmark::DoNotOptimize(validator.Finish(built.index.hash).chunks.size());
  }
  state.SetBytesProcessed(static_cast<int64_t>(built.index.unpacked_bytes) * state.iterations());
}
BENCHMARK(BM_ValidateXorb)->DenseRange(0, 3);

}  // namespace
}  // namespace hearth::storage

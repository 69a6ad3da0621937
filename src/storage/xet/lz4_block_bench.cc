// Blocks of an uploaded chunk's size, four in one call as a reader has them, against liblz4's
// decoder. Bytes are those that come out.
#include "storage/xet/internal/lz4_block.h"

#include <benchmark/benchmark.h>
#include <lz4.h>

#include <string>
#include <vector>

#include "storage/xet/internal/test_bytes.h"

namespace hearth::storage::internal {
namespace {

constexpr size_t kTogether = 4;
// Enough different blocks that no branch is predicted by having been seen before.
constexpr size_t kBlocks = 128;
constexpr size_t kBlockBytes = 64 << 10;

// 0 text, 1 the bytes of float weights in four groups, 2 those of bfloat16 weights.
std::string Content(int64_t kind) {
  constexpr size_t kBytes = kBlocks * kBlockBytes;
  if (kind == 0) return TextRows(kBytes / 28);
  std::string plain = kind == 1 ? SmallFloats(1, kBytes / 4) : NormalWeights(1, kBytes / 2);
  std::string grouped;
  for (size_t block = 0; block < kBytes; block += kBlockBytes) {
    for (size_t group = 0; group < 4; ++group) {
      for (size_t i = group; i < kBlockBytes; i += 4) grouped += plain[block + i];
    }
  }
  return grouped;
}

struct Data {
  explicit Data(int64_t kind) {
    std::string content = Content(kind);
    for (size_t at = 0; at + kBlockBytes <= content.size(); at += kBlockBytes) {
      std::string out(LZ4_compressBound(kBlockBytes), '\0');
      out.resize(static_cast<size_t>(LZ4_compress_default(
          content.data() + at, out.data(), kBlockBytes, static_cast<int>(out.size()))));
      packed.push_back(std::move(out));
    }
  }
  int64_t bytes() const { return static_cast<int64_t>(packed.size() * kBlockBytes); }

  std::vector<std::string> packed;
  std::string out = std::string(kTogether * kBlockBytes, '\0');
};

void BM_DecodeBlocks(benchmark::State& state) {
  Data data(state.range(0));
  for (auto _ : state) {
    for (size_t at = 0; at + kTogether <= data.packed.size(); at += kTogether) {
      Lz4Block blocks[kTogether];
      for (size_t i = 0; i < kTogether; ++i) {
        blocks[i] = {data.packed[at + i], data.out.data() + i * kBlockBytes, kBlockBytes};
      }
      DecodeBlocks(blocks);
      benchmark::DoNotOptimize(data.out.data());
    }
  }
  state.SetBytesProcessed(data.bytes() * state.iterations());
}
BENCHMARK(BM_DecodeBlocks)->DenseRange(0, 2);

void BM_Library(benchmark::State& state) {
  Data data(state.range(0));
  for (auto _ : state) {
    for (size_t at = 0; at < data.packed.size(); ++at) {
      LZ4_decompress_safe(data.packed[at].data(), data.out.data() + at % kTogether * kBlockBytes,
                          static_cast<int>(data.packed[at].size()), kBlockBytes);
      benchmark::DoNotOptimize(data.out.data());
    }
  }
  state.SetBytesProcessed(data.bytes() * state.iterations());
}
BENCHMARK(BM_Library)->DenseRange(0, 2);

}  // namespace
}  // namespace hearth::storage::internal

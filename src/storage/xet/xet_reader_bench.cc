// What the hub's own doors cost: rebuilding a file that lies in the page cache, and taking a xorb
// in. Put the store elsewhere with TMPDIR (a memory file system leaves the disk out).
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "storage/xet/internal/test_xorb_store.h"
#include "storage/xet/reconstruction.h"

namespace hearth::storage {
namespace {

constexpr size_t kBytes = 48 << 20;

// 0 random bytes, 1 text, 2 floats, 3 weights in bfloat16; each with the scheme that suits it.
std::string Content(int64_t kind) {
  if (kind == 0) return internal::SplitMixBytes(1, kBytes);
  if (kind == 1) return internal::TextRows(1 << 20);
  if (kind == 2) return internal::SmallFloats(1, kBytes / 4);
  return internal::NormalWeights(1, kBytes / 2);
}

XorbScheme SchemeOf(int64_t kind) {
  if (kind == 0) return XorbScheme::kNone;
  return kind == 1 ? XorbScheme::kLz4 : XorbScheme::kBg4Lz4;
}

double CpuSeconds() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void BM_Rebuild(benchmark::State& state) {
  internal::TestFolder folder;
  auto store = XorbStore::OpenLocal(folder.path());
  std::string bytes = Content(state.range(0));
  internal::Packed packed = internal::PackAll(internal::Chunks(bytes), SchemeOf(state.range(0)));
  XorbIndexPtr index = store->PutUploaded(internal::Spool(*store, packed.body), packed.hash).index;
  auto terms =
      MakeTermSource({internal::TermOf(*index, 0, static_cast<uint32_t>(index->chunks.size()))});
  std::string piece;
  for (auto _ : state) {
    XetReader reader(*store, terms, 0, bytes.size());
    for (piece.clear(); reader.Next(&piece, state.range(1)); piece.clear()) {
      benchmark::DoNotOptimize(piece.data());
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes.size()) * state.iterations());
}
BENCHMARK(BM_Rebuild)->ArgsProduct({{0, 1, 2, 3}, {256 << 10, 1 << 20}});

// The whole of an upload after its body was spooled: check, footer, sync, name. User and kernel
// time per content gigabyte beside the wall time.
void BM_PutUploaded(benchmark::State& state) {
  internal::TestFolder folder;
  auto store = XorbStore::OpenLocal(folder.path());
  std::string bytes = Content(state.range(0));
  internal::Packed packed = internal::PackAll(internal::Chunks(bytes), SchemeOf(state.range(0)));
  double cpu = 0;
  for (auto _ : state) {
    state.PauseTiming();
    TempFile body = internal::Spool(*store, packed.body);
    double before = CpuSeconds();
    state.ResumeTiming();
    store->PutUploaded(std::move(body), packed.hash);
    state.PauseTiming();
    cpu += CpuSeconds() - before;
    store->MoveOut(packed.hash, folder.path() / "gone");
    state.ResumeTiming();
  }
  double content = static_cast<double>(bytes.size()) * static_cast<double>(state.iterations());
  state.SetBytesProcessed(static_cast<int64_t>(content));
  state.counters["cpu_s_per_GB"] = cpu / (content / 1e9);
}
BENCHMARK(BM_PutUploaded)->DenseRange(0, 3)->UseRealTime();

}  // namespace
}  // namespace hearth::storage

// Attention by shape and tier. Arguments: rows, past. GFLOP/s count 4 * head_dim per pair of query
// and key that is seen; GB/s the keys and values that a decoding step must read.
#include "tensor/kernels/attention.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <numeric>

namespace hearth::tensor {
namespace {

struct Shape {
  uint32_t heads, kv_heads, head_dim;
  bool causal;
  bool cached;
  KvType type = KvType::kF16;
};

struct Run {
  Shape shape;
  AttentionOptions options;
  std::vector<float> qkv, out;
  std::vector<uint32_t> ids, pages;
  std::unique_ptr<KvCache> cache;
  std::vector<Segment> segments;
  Batch batch;
  AttentionCall call;
  std::vector<AttentionItem> items;

  Run(const Shape& of, uint32_t rows, uint32_t past, Tier tier) : shape(of) {
    options.heads = of.heads;
    options.kv_heads = of.kv_heads;
    options.head_dim = of.head_dim;
    options.scale = 1 / std::sqrt(static_cast<float>(of.head_dim));
    options.causal = of.causal;
    uint64_t width = uint64_t{of.heads + 2 * of.kv_heads} * of.head_dim;
    uint32_t longest = std::max(rows, past);
    qkv.resize(width * longest);
    for (size_t i = 0; i < qkv.size(); ++i) qkv[i] = std::sin(static_cast<float>(i * 7919 % 10007));
    out.resize(uint64_t{rows} * of.heads * of.head_dim);
    ids.resize(longest);
    if (of.cached) {
      options.cache_layer = 0;
      uint32_t count = (past + rows) / kPageTokens + 1;
      pages.resize(count);
      std::iota(pages.begin(), pages.end(), 0);
      cache = std::make_unique<KvCache>(KvShape{8, of.kv_heads, of.head_dim, of.type}, count);
    }
    batch.token_ids = ids;
    call.q = qkv.data();
    call.k = call.q + uint64_t{of.heads} * of.head_dim;
    call.v = call.k + uint64_t{of.kv_heads} * of.head_dim;
    call.q_stride = call.kv_stride = width;
    call.out = out.data();
    call.out_stride = uint64_t{of.heads} * of.head_dim;
    call.options = &options;
    call.batch = &batch;
    call.cache = cache.get();
    call.tier = tier;
    if (past > 0) {
      segments = {{0, past, 0, pages, -1}};
      batch.segments = segments;
      StoreKeysAndValues(call, 0, past);
    }
    segments = {{0, rows, past, pages, -1}};
    batch.segments = segments;
    StoreKeysAndValues(call, 0, rows);
    PlanAttention(call, 1, &items);
  }

  void Step() {
    if (shape.cached) StoreKeysAndValues(call, 0, ids.size() < 2 ? 1 : segments[0].rows);
    for (const AttentionItem& item : items) RunAttention(call, item);
    benchmark::DoNotOptimize(out.data());
  }
};

void Attend(benchmark::State& state, const Shape& shape, Tier tier) {
  auto rows = static_cast<uint32_t>(state.range(0)), past = static_cast<uint32_t>(state.range(1));
  Run run(shape, rows, past, tier);
  for (auto _ : state) run.Step();
  double pairs = shape.causal ? rows * (past + (rows + 1) / 2.0) : 1.0 * rows * rows;
  using benchmark::Counter;
  state.counters["GFLOP/s"] =
      Counter(4e-9 * pairs * shape.heads * shape.head_dim, Counter::kIsIterationInvariantRate);
  if (rows > 1) return;
  double bytes = 2.0 * static_cast<double>(KvCache::PartBytes(run.cache->shape())) / kPageTokens;
  state.counters["GB/s"] =
      Counter(1e-9 * bytes * shape.kv_heads * (past + 1.0), Counter::kIsIterationInvariantRate);
}

int Register() {
  for (Tier tier : SupportedTiers()) {
    auto add = [&](const std::string& name, const Shape& shape,
                   const std::vector<std::vector<int64_t>>& arguments) {
      auto* bench = benchmark::RegisterBenchmark(
          (name + "/" + std::string(TierName(tier))).c_str(),
          [=](benchmark::State& state) { Attend(state, shape, tier); });
      for (const auto& pair : arguments) bench->Args(pair);
      bench->Unit(benchmark::kMicrosecond);
    };
    add("encoder_12x32", {12, 12, 32, false, false},
        {{16, 0}, {32, 0}, {64, 0}, {128, 0}, {256, 0}, {512, 0}});
    add("encoder_12x64", {12, 12, 64, false, false}, {{16, 0}, {128, 0}, {512, 0}});
    add("prefill_9_3x64_f16", {9, 3, 64, true, true}, {{512, 0}});
    for (auto [name, type] :
         {std::pair{"f32", KvType::kF32}, {"f16", KvType::kF16}, {"int8", KvType::kInt8}}) {
      add(std::string("decode_9_3x64_") + name, {9, 3, 64, true, true, type},
          {{1, 512}, {1, 4096}});
    }
    add("decode_12x64_f16", {12, 12, 64, true, true}, {{1, 512}, {1, 4096}});
  }
  return 0;
}

const int kRegistered = Register();

}  // namespace
}  // namespace hearth::tensor

#include "tensor/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/aligned_memory.h"
#include "base/error.h"
#include "tensor/internal/attention_kernels.h"

namespace hearth::tensor {
namespace {

constexpr uint32_t kMaxHeadDim = 256;
// Queries (rows x heads of a group) of an item: enough to pay for bringing a tile of keys and
// values into the form that the products want, few enough that queries, results and tile stay in
// a second-level cache of 512 KB.
constexpr uint32_t kItemQueries = 128;
// Multiply-adds below which an item is not worth a thread's trip to the list of items.
constexpr uint64_t kItemWork = 1 << 18;
// A part of a long past: keys enough to hide the cost of adding parts up.
constexpr uint32_t kPartKeys = 256;

const AttentionKernels& KernelsOf(Tier tier) {
#if defined(__x86_64__)
  if (tier == Tier::kAvx512) return Avx512Attention();
  if (tier == Tier::kAvx2) return Avx2Attention();
#endif
  (void)tier;
  return PortableAttention();
}

struct Planner {
  const AttentionCall& call;
  uint32_t threads;
  std::vector<AttentionItem>* items;
  uint32_t parts = 0;

  const AttentionOptions& options() const { return *call.options; }
  uint32_t group() const { return options().heads / options().kv_heads; }

  void Add(uint32_t segment, uint32_t head, uint32_t head_end, uint32_t row, uint32_t row_end) {
    const Segment& of = call.batch->segments[segment];
    uint32_t past = Past(call, of), keys = past + of.rows;
    AttentionItem item{segment, head, head_end, row, row_end, 0, 0};
    item.key_begin = VisibleKeys(options(), past + row, keys).begin;
    item.key_end = VisibleKeys(options(), past + row_end - 1, keys).end;
    items->push_back(item);
  }

  // Few rows, a long past and more threads than heads: the keys are cut as well.
  bool AddParts(uint32_t segment) {
    const Segment& of = call.batch->segments[segment];
    uint64_t wide = uint64_t{options().kv_heads} * call.batch->segments.size();
    if (call.partials == nullptr || of.rows * group() > 16 || wide >= 2 * threads) return false;
    uint32_t past = Past(call, of), keys = past + of.rows;
    uint32_t begin = VisibleKeys(options(), past, keys).begin / kPageTokens * kPageTokens;
    uint32_t end = VisibleKeys(options(), past + of.rows - 1, keys).end;
    auto wanted = static_cast<uint32_t>((2 * threads + wide - 1) / wide);
    uint32_t count = std::min(wanted, (end - begin) / kPartKeys);
    if (count < 2) return false;
    uint32_t step = ((end - begin) / count + kPageTokens - 1) / kPageTokens * kPageTokens;
    count = (end - begin + step - 1) / step;
    for (uint32_t head = 0; head < options().kv_heads; ++head) {
      for (uint32_t part = 0; part < count; ++part) {
        uint32_t from = begin + part * step;
        items->push_back({segment, head, head + 1, 0, of.rows, from, std::min(from + step, end),
                          part, count, parts});
      }
      parts += count;
    }
    return true;
  }

  void AddSegment(uint32_t segment) {
    if (AddParts(segment)) return;
    const Segment& of = call.batch->segments[segment];
    uint64_t keys = Past(call, of) + of.rows;
    uint32_t heads = options().kv_heads;
    uint64_t head_work = uint64_t{of.rows} * group() * keys * options().head_dim * 2;
    // Small heads go together, as far as all threads still find work.
    uint64_t shares = uint64_t{heads} * call.batch->segments.size() / (2 * threads);
    uint64_t together = std::clamp<uint64_t>(kItemWork / (head_work + 1), 1, heads);
    if (threads > 1) together = std::clamp<uint64_t>(together, 1, std::max<uint64_t>(shares, 1));
    uint32_t block = std::max<uint32_t>(kItemQueries / group(), 1);
    block = block > 16 ? block / 16 * 16 : block;
    uint32_t blocks = (of.rows + block - 1) / block;
    block = (of.rows + blocks - 1) / blocks;
    for (uint32_t head = 0; head < heads; head += together) {
      uint32_t head_end = std::min<uint64_t>(head + together, heads);
      for (uint32_t row = 0; row < of.rows; row += block) {
        Add(segment, head, head_end, row, std::min(row + block, of.rows));
      }
    }
  }
};

void Require(bool holds, const char* what) {
  if (!holds) throw Error(Code::kInvalidArgument, std::string("attention: ") + what);
}

}  // namespace

void CheckAttention(const AttentionCall& call) {
  const AttentionOptions& o = *call.options;
  Require(o.head_dim > 0 && o.head_dim % 4 == 0 && o.head_dim <= kMaxHeadDim,
          "the head size must be a multiple of 4, at most 256");
  Require(o.kv_heads > 0 && o.heads > 0 && o.heads % o.kv_heads == 0,
          "the number of heads must be a multiple of the number of key and value heads");
  Require(call.relative_bias.size() % o.heads == 0, "the relative bias has no whole rows");
  if (!UsesCache(call)) return;
  const KvShape& shape = call.cache->shape();
  Require(static_cast<uint32_t>(o.cache_layer) < shape.layers && shape.kv_heads == o.kv_heads &&
              shape.head_dim == o.head_dim,
          "the KV cache has another shape");
  for (const Segment& segment : call.batch->segments) {
    uint64_t pages = (uint64_t{segment.past} + segment.rows + kPageTokens - 1) / kPageTokens;
    Require(segment.pages.size() >= pages, "a sequence has too few pages");
    for (uint32_t page : segment.pages.first(pages)) {
      Require(page < call.cache->pages(), "a page outside the KV cache");
    }
  }
}

void StoreKeysAndValues(const AttentionCall& call, uint64_t row_begin, uint64_t row_end) {
  if (!UsesCache(call)) return;
  const AttentionKernels& kernels = KernelsOf(call.tier);
  for (const Segment& segment : call.batch->segments) {
    uint64_t begin = std::max<uint64_t>(row_begin, segment.first_row);
    uint64_t end = std::min<uint64_t>(row_end, uint64_t{segment.first_row} + segment.rows);
    if (begin >= end) continue;
    kernels.store(call, segment, static_cast<uint32_t>(begin - segment.first_row),
                  static_cast<uint32_t>(end - segment.first_row));
  }
}

void PlanAttention(const AttentionCall& call, int threads, std::vector<AttentionItem>* items) {
  CheckAttention(call);
  items->clear();
  Planner planner{call, static_cast<uint32_t>(std::max(threads, 1)), items};
  for (uint32_t i = 0; i < call.batch->segments.size(); ++i) planner.AddSegment(i);
  if (planner.parts == 0) return;
  // Of each query of a group: the result so far, its largest score and its sum.
  uint32_t queries = 0;
  for (const AttentionItem& item : *items) {
    if (item.parts > 1) queries = std::max(queries, item.row_end - item.row_begin);
  }
  queries *= planner.group();
  call.partials->Prepare(planner.parts, queries * (call.options->head_dim + 2));
}

void RunAttention(const AttentionCall& call, const AttentionItem& item) {
  KernelsOf(call.tier).run(call, item);
}

void AttentionPartials::Prepare(uint32_t parts, uint32_t floats) {
  floats_ = floats;
  if (values_.size() < uint64_t{parts} * floats) values_.resize(uint64_t{parts} * floats);
  if (capacity_ >= parts) return;
  arrivals_ = std::make_unique<std::atomic<uint32_t>[]>(parts);
  capacity_ = parts;
}

bool AttentionPartials::Arrive(uint32_t first_part, uint32_t parts) {
  std::atomic<uint32_t>& arrived = arrivals_[first_part];
  if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 != parts) return false;
  arrived.store(0, std::memory_order_relaxed);
  return true;
}

float* PartAt(const AttentionCall& call, const AttentionItem& item, uint32_t part) {
  return call.partials->Part(item.first_part + part);
}

bool LastToArrive(const AttentionCall& call, const AttentionItem& item) {
  return call.partials->Arrive(item.first_part, item.parts);
}

float* AttentionSpace(uint64_t floats) {
  thread_local ScratchMemory memory;
  return reinterpret_cast<float*>(memory.Reserve(floats * sizeof(float)));
}

void FillBias(const AttentionCall& call, uint32_t head, int64_t least, uint64_t count, float* out) {
  // Buckets by distance up to where they stay the same; of the last kind of model that ran here.
  struct Buckets {
    uint32_t count = 0, most = 0;
    bool bidirectional = false;
    std::vector<uint32_t> by_distance;
  };
  thread_local Buckets known;
  const AttentionOptions& o = *call.options;
  const auto buckets = static_cast<uint32_t>(call.relative_bias.size() / o.heads);
  const int64_t most = std::max(o.relative_max_distance, buckets);
  if (known.count != buckets || known.most != o.relative_max_distance ||
      known.bidirectional == o.causal) {
    known = {buckets, o.relative_max_distance, !o.causal, {}};
    for (int64_t delta = -most; delta <= most; ++delta) {
      known.by_distance.push_back(
          RelativeBucket(delta, buckets, o.relative_max_distance, !o.causal));
    }
  }
  constexpr float kLog2E = 1.44269504f;
  for (uint64_t i = 0; i < count; ++i) {
    int64_t delta = std::clamp(least + static_cast<int64_t>(i), -most, most);
    out[i] =
        kLog2E * call.relative_bias[uint64_t{known.by_distance[delta + most]} * o.heads + head];
  }
}

uint32_t RelativeBucket(int64_t delta, uint32_t buckets, uint32_t max_distance,
                        bool bidirectional) {
  uint32_t bucket = 0;
  if (bidirectional) {
    buckets /= 2;
    if (delta > 0) bucket = buckets;
  } else {
    delta = std::min<int64_t>(delta, 0);
  }
  auto distance = static_cast<uint64_t>(delta < 0 ? -delta : delta);
  uint32_t exact = buckets / 2;
  if (distance < exact || exact == 0) {
    return bucket + static_cast<uint32_t>(std::min<uint64_t>(distance, exact));
  }
  // In fp32, as the original computes it: a border may fall on either side of a distance.
  float ratio = std::log(static_cast<float>(distance) / static_cast<float>(exact)) /
                static_cast<float>(std::log(static_cast<double>(max_distance) / exact));
  float step = ratio * static_cast<float>(buckets - exact);
  uint64_t rest = buckets - 1 - exact;
  uint64_t beyond = step < static_cast<float>(rest) ? static_cast<uint64_t>(step) : rest;
  return bucket + exact + static_cast<uint32_t>(beyond);
}

}  // namespace hearth::tensor

// Attention on the CPU over packed rows and paged keys and values, without a matrix of scores.
//
// Work is cut into items that threads take in any order: (segment, head groups, block of rows), and
// for single rows with a long past also a range of keys. Scores are computed in tiles with a
// running maximum and sum (the "flash" order), so memory stays flat with length. All functions are
// thread-safe on disjoint items.
//
// A row's place in its sequence is Segment::past + its row in the segment; causal order, windows
// and relative positions go by it. Rows whose scores are all -inf give zeros.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/cpu.h"
#include "tensor/batch.h"
#include "tensor/kernels/kv_cache.h"
#include "tensor/ops.h"

namespace hearth::tensor {

class AttentionPartials;

// One call's operands. q, k, v, out are row-major fp32 with strides in floats; q, k and v may lie
// in one matrix (a fused projection).
struct AttentionCall {
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  float* out = nullptr;
  uint64_t q_stride = 0, kv_stride = 0, out_stride = 0;
  const AttentionOptions* options = nullptr;
  const Batch* batch = nullptr;
  // null, or options->cache_layer < 0: keys and values of this run only (past counts as 0).
  KvCache* cache = nullptr;
  std::span<const float> relative_bias;  // [buckets][heads], empty without
  // Lets a long past be cut among threads; null: never cut. Used by one call at a time.
  AttentionPartials* partials = nullptr;
  Tier tier = Tier::kPortable;
};

// Throws kInvalidArgument for shapes that the kernels do not take: a head_dim above 256 or not a
// multiple of 4, heads that kv_heads does not divide, a cache of another shape, pages too few.
void CheckAttention(const AttentionCall& call);

// Writes k and v of rows [begin, end) to the cache's pages. Before any item of the same call runs.
// Without a cache it does nothing.
void StoreKeysAndValues(const AttentionCall& call, uint64_t row_begin, uint64_t row_end);

// How the call is cut; cheap. Items are of about equal cost where the batch allows it.
struct AttentionItem {
  uint32_t segment;
  uint32_t kv_head, kv_head_end;
  uint32_t row_begin, row_end;  // rows within the segment
  // Keys [key_begin, key_end) of the sequence; parts > 1: one of `parts` items that share the
  // rows, whose results meet in partial results from `first_part` on.
  uint32_t key_begin, key_end;
  uint32_t part = 0, parts = 1, first_part = 0;
};
void PlanAttention(const AttentionCall& call, int threads, std::vector<AttentionItem>* items);
void RunAttention(const AttentionCall& call, const AttentionItem& item);

// Where items that share rows leave their parts; the last to finish adds them up. Memory is kept
// between calls.
class AttentionPartials {
 public:
  // Called by PlanAttention: `parts` parts of `floats` floats each.
  void Prepare(uint32_t parts, uint32_t floats);
  float* Part(uint32_t part) { return values_.data() + uint64_t{part} * floats_; }
  // True for the last of `parts` arrivals at a group; sets it back for the next run.
  bool Arrive(uint32_t first_part, uint32_t parts);

 private:
  uint32_t floats_ = 0, capacity_ = 0;
  std::vector<float> values_;
  std::unique_ptr<std::atomic<uint32_t>[]> arrivals_;
};

// The bucket of a key `delta` places after the row (negative: before it), as transformers' T5 and
// MPNet have it. Not bidirectional: keys after the row count as distance 0.
uint32_t RelativeBucket(int64_t delta, uint32_t buckets, uint32_t max_distance, bool bidirectional);

}  // namespace hearth::tensor

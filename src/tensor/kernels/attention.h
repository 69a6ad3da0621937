// Attention on the CPU over packed rows and paged keys and values, without a matrix of scores.
//
// Work is cut into items that threads take in any order: (segment, head group, block of rows).
// Scores are computed in tiles with a running maximum and sum (the "flash" order), so memory stays
// flat with length. All functions are thread-safe on disjoint items.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/cpu.h"
#include "tensor/batch.h"
#include "tensor/kernels/kv_cache.h"
#include "tensor/ops.h"

namespace hearth::tensor {

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
  KvCache* cache = nullptr;              // null: keys and values of this run only
  std::span<const float> relative_bias;  // [buckets][heads], empty without
  Tier tier = Tier::kPortable;
};

// Writes k and v of rows [begin, end) to the cache's pages. Before any item of the same call runs.
void StoreKeysAndValues(const AttentionCall& call, uint64_t row_begin, uint64_t row_end);

// How the call is cut; cheap. Items are of about equal cost where the batch allows it.
struct AttentionItem {
  uint32_t segment, kv_head, row_begin, row_end;  // rows within the segment
};
void PlanAttention(const AttentionCall& call, int threads, std::vector<AttentionItem>* items);
void RunAttention(const AttentionCall& call, const AttentionItem& item);

}  // namespace hearth::tensor

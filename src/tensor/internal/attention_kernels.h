// What the tiers of attention share: one table of functions per tier, and the view of a call that
// they work on. Internal to tensor/kernels.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "tensor/kernels/attention.h"

namespace hearth::tensor {

struct AttentionKernels {
  // Rows of a segment to the cache; [begin, end) within the segment.
  void (*store)(const AttentionCall& call, const Segment& segment, uint32_t begin, uint32_t end);
  void (*run)(const AttentionCall& call, const AttentionItem& item);
};

const AttentionKernels& PortableAttention();
const AttentionKernels& Avx2Attention();
const AttentionKernels& Avx512Attention();

inline bool UsesCache(const AttentionCall& call) {
  return call.cache != nullptr && call.options->cache_layer >= 0;
}

// Keys that exist for a segment's rows: its past and itself.
inline uint32_t Past(const AttentionCall& call, const Segment& segment) {
  return UsesCache(call) ? segment.past : 0;
}

// The keys [begin, end) that the row at `place` of its sequence sees, of `keys` in all.
struct KeyRange {
  uint32_t begin, end;
};
inline KeyRange VisibleKeys(const AttentionOptions& options, uint32_t place, uint32_t keys) {
  KeyRange range{0, keys};
  if (options.window != 0 && place + 1 > options.window) range.begin = place + 1 - options.window;
  if (options.causal) {
    range.end = place + 1;
  } else if (options.window != 0 && keys - place > options.window) {
    range.end = place + options.window;
  }
  return range;
}

// Plain accessors for code of a tier, which must not instantiate templates of the standard library.
inline const Segment& SegmentOf(const AttentionCall& call, const AttentionItem& item) {
  return call.batch->segments[item.segment];
}
inline uint32_t PageOf(const Segment& segment, uint32_t token) {
  return segment.pages[token / kPageTokens];
}
inline bool HasBias(const AttentionCall& call) { return !call.relative_bias.empty(); }
float* PartAt(const AttentionCall& call, const AttentionItem& item, uint32_t part);
bool LastToArrive(const AttentionCall& call, const AttentionItem& item);

// At least so many floats of the calling thread's own, aligned to 64 bytes, kept for the next call.
float* AttentionSpace(uint64_t floats);
// The relative bias of a query head times log2(e), for keys `least`, `least` + 1, ... after a row.
void FillBias(const AttentionCall& call, uint32_t head, int64_t least, uint64_t count, float* out);

}  // namespace hearth::tensor

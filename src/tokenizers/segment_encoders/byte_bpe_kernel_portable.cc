#include <cstring>

#include "tokenizers/segment_encoders/byte_bpe_algebra.h"
#include "tokenizers/segment_encoders/byte_bpe_kernel.h"

namespace hearth::tokenizers {
namespace {

// Walks character by character: no masks, so that the vector tiers have something to agree with.
struct Isa {
  static constexpr bool kBlocks = false;
  using Merging = PortableMerging;

  template <typename Rules>
  static void Classify(const uint8_t*, const uint8_t*, const ByteBpeClasses&, ByteBpeBlock*) {}
  static uint32_t* Flatten(uint64_t, uint32_t, uint32_t* to) { return to; }

  static ByteBpeKey Key(const uint8_t* p, size_t size) {
    ByteBpeKey key;
    std::memcpy(&key, p, kByteBpeKeyBytes);
    uint64_t low = size >= 8 ? ~uint64_t{0} : (uint64_t{1} << (size * 8)) - 1;
    uint64_t high = size <= 8    ? 0
                    : size == 16 ? ~uint64_t{0}
                                 : (uint64_t{1} << ((size - 8) * 8)) - 1;
    return {key.low & low, key.high & high};
  }

  static bool Probe(const ByteBpePieceCache::Line& line, ByteBpeKey key,
                    ByteBpePieceCache::Value* value) {
    bool first = line.keys[0] == key;
    *value = line.values[first ? 0 : 1];
    return first || line.keys[1] == key;
  }
};

#include "tokenizers/segment_encoders/byte_bpe_kernel.inc"

}  // namespace

size_t MergeByteBpePortable(const ByteBpePlan& plan, ByteBpePairMemo& memo, const uint8_t* piece,
                            size_t n, uint32_t* ids) {
  return MergeForTier(plan, memo, piece, n, ids);
}

void EncodeByteBpePortable(const ByteBpePlan& plan, std::string_view text, ByteBpeState& state,
                           std::vector<uint32_t>* ids) {
  EncodeText(plan, text, state, ids);
}

}  // namespace hearth::tokenizers

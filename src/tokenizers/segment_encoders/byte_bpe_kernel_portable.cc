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
                    : size >= 16 ? ~uint64_t{0}
                                 : (uint64_t{1} << ((size - 8) * 8)) - 1;
    return {key.low & low, key.high & high};
  }

  static uint64_t LongPieces(const uint32_t* ends) {
    uint64_t longs = 0;
    for (int i = 0; i < 64; ++i) {
      longs |= uint64_t{ends[i] - ends[i - 1] > kByteBpeKeyBytes} << i;
    }
    return longs;
  }

  static void Lines(const ByteBpeKey* keys, int shift, uint32_t* lines) {
    for (int i = 0; i < 8; ++i) {
      lines[i] = static_cast<uint32_t>(HashKey(keys[i].low, keys[i].high) >> shift);
    }
  }

  static uint32_t Find(const ByteBpePieceCache::Line& line, const ByteBpeKey* key, uint32_t* to) {
    for (int way : {0, 1}) {
      if (line.keys[way] != *key) continue;
      const ByteBpePieceCache::Value& value = line.values[way];
      for (uint32_t i = 0; i < ByteBpePieceCache::kInlineIds; ++i) to[i] = value.Number(i);
      return value.count();
    }
    return 0;
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

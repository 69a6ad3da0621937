#include <cstring>

#include "tokenizers/segment_encoders/byte_bpe_algebra.h"
#include "tokenizers/segment_encoders/byte_bpe_kernel.h"

namespace hearth::tokenizers {
namespace {

#include "tokenizers/segment_encoders/piece_isa_portable.inc"

// Walks character by character: no masks, so that the vector tiers have something to agree with.
struct Isa : PieceIsa {
  static constexpr bool kBlocks = false;
  using Merging = PortableMerging;

  template <typename Rules>
  static void Classify(const uint8_t*, const uint8_t*, const ByteBpeClasses&, ByteBpeBlock*) {}
};

#include "tokenizers/segment_encoders/byte_bpe_kernel.inc"

}  // namespace

uint64_t MergeByteBpePortable(const ByteBpePlan& plan, ByteBpePairMemo& memo, const uint8_t* piece,
                              size_t n, uint32_t* ids) {
  return MergeForTier(plan, memo, piece, n, ids);
}

void EncodeByteBpePortable(const ByteBpePlan& plan, std::string_view text, ByteBpeState& state,
                           std::vector<uint32_t>* ids) {
  EncodeText(plan, text, state, ids);
}

}  // namespace hearth::tokenizers

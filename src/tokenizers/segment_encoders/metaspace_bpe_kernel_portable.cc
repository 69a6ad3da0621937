#include <algorithm>
#include <bit>
#include <cstring>

#include "tokenizers/segment_encoders/metaspace_bpe_kernel.h"

namespace hearth::tokenizers {
namespace {

#include "tokenizers/segment_encoders/piece_isa_portable.inc"

struct Isa {
  static constexpr bool kBlocks = false;
  static uint64_t Cuts(const uint8_t*, int, const MetaspaceCuts&, uint64_t*) { return 0; }
};

#include "tokenizers/segment_encoders/metaspace_bpe_kernel.inc"

}  // namespace

void EncodeMetaspaceBpePortable(const MetaspaceBpePlan& plan, std::string_view text,
                                MetaspaceBpeState& state, std::vector<uint32_t>* ids) {
  EncodeText(plan, text, state, ids);
}

}  // namespace hearth::tokenizers

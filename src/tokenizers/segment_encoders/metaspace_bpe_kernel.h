// Text to ids for one instruction set. Each metaspace_bpe_kernel_<tier>.cc compiles
// metaspace_bpe_kernel.inc for its tier and exports one function; metaspace_bpe.cc takes the best.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "tokenizers/segment_encoder.h"
#include "tokenizers/segment_encoders/metaspace_bpe_cuts.h"
#include "tokenizers/segment_encoders/metaspace_bpe_merges.h"
#include "tokenizers/segment_encoders/piece_state.h"

namespace hearth::tokenizers {

// Immutable; shared by threads.
struct MetaspaceBpePlan {
  MetaspaceBpePlan(std::unique_ptr<const MetaspaceMerges> merges, bool cut_at_marks)
      : merges(std::move(merges)), cuts(this->merges->joins(), cut_at_marks) {}

  const std::unique_ptr<const MetaspaceMerges> merges;
  const MetaspaceCuts cuts;
};

// What a thread keeps between calls.
struct MetaspaceBpeState : PieceState {
  MetaspaceMerges::Work work;
  std::vector<uint32_t> piece_ids;
};

// Appends the ids of `text`, which is valid UTF-8 of less than 4 GiB and begins with a piece.
using MetaspaceBpeFunction = void (*)(const MetaspaceBpePlan& plan, std::string_view text,
                                      MetaspaceBpeState& state, std::vector<uint32_t>* ids);

void EncodeMetaspaceBpePortable(const MetaspaceBpePlan& plan, std::string_view text,
                                MetaspaceBpeState& state, std::vector<uint32_t>* ids);
#if defined(__x86_64__)
void EncodeMetaspaceBpeAvx2(const MetaspaceBpePlan& plan, std::string_view text,
                            MetaspaceBpeState& state, std::vector<uint32_t>* ids);
// Needs AVX-512 VBMI and VBMI2 (Ice Lake, Zen 4 and later).
void EncodeMetaspaceBpeAvx512(const MetaspaceBpePlan& plan, std::string_view text,
                              MetaspaceBpeState& state, std::vector<uint32_t>* ids);
#endif

// The functions that this machine can run, the portable one first.
std::vector<MetaspaceBpeFunction> MetaspaceBpeKernels();

// As MakeSegmentEncoder, with a function chosen.
std::unique_ptr<SegmentEncoder> MakeMetaspaceBpeEncoder(const Json& tokenizer_json,
                                                        MetaspaceBpeFunction kernel);

}  // namespace hearth::tokenizers

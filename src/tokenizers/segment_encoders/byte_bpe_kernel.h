// Text to ids for one instruction set. Each byte_bpe_kernel_<tier>.cc compiles byte_bpe_kernel.inc
// for its tier and exports one function; byte_bpe.cc takes the best.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tokenizers/segment_encoder.h"
#include "tokenizers/segment_encoders/byte_bpe_merge.h"
#include "tokenizers/segment_encoders/byte_bpe_plan.h"
#include "tokenizers/segment_encoders/piece_state.h"

namespace hearth::tokenizers {

// What a thread keeps between calls.
struct ByteBpeState : PieceState {
  ByteBpePairMemo memo;
  LongPieceMerger merger;
};

// Appends the ids of `text`, which is valid UTF-8.
using ByteBpeEncodeFunction = void (*)(const ByteBpePlan& plan, std::string_view text,
                                       ByteBpeState& state, std::vector<uint32_t>* ids);

void EncodeByteBpePortable(const ByteBpePlan& plan, std::string_view text, ByteBpeState& state,
                           std::vector<uint32_t>* ids);
#if defined(__x86_64__)
void EncodeByteBpeAvx2(const ByteBpePlan& plan, std::string_view text, ByteBpeState& state,
                       std::vector<uint32_t>* ids);
// Needs AVX-512 VBMI and VBMI2 (Ice Lake, Zen 4 and later).
void EncodeByteBpeAvx512(const ByteBpePlan& plan, std::string_view text, ByteBpeState& state,
                         std::vector<uint32_t>* ids);
#endif

// The functions that this machine can run, the portable one first.
std::vector<ByteBpeEncodeFunction> ByteBpeKernels();

// As MakeSegmentEncoder, with a function chosen.
std::unique_ptr<SegmentEncoder> MakeByteBpeEncoder(const Json& tokenizer_json,
                                                   ByteBpeEncodeFunction kernel);

}  // namespace hearth::tokenizers

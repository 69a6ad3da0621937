// Text to ids for one instruction set. Each byte_bpe_kernel_<tier>.cc compiles byte_bpe_kernel.inc
// for its tier and exports one function; byte_bpe.cc takes the best.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tokenizers/segment_encoder.h"
#include "tokenizers/segment_encoders/byte_bpe_cache.h"
#include "tokenizers/segment_encoders/byte_bpe_merge.h"
#include "tokenizers/segment_encoders/byte_bpe_plan.h"

namespace hearth::tokenizers {

// What a thread keeps between calls.
struct ByteBpeState {
  // Boundaries of a batch of pieces, and their ids: both stay in level 1. A batch ends with the
  // block or the walk that fills it, hence the room above it.
  static constexpr size_t kBatchPieces = 512;
  static constexpr size_t kBatchRoom = kBatchPieces + 128;
  // No piece adds more ids than this to the batch; it stays far below in all but odd texts.
  static constexpr size_t kMostIds = 64;
  static constexpr size_t kOutRoom = (kBatchRoom + 1) * kMostIds;
  // Boundaries are read in groups, with the one before.
  static constexpr size_t kGroup = 64;

  ByteBpePieceCache cache;
  ByteBpePairMemo memo;
  LongPieceMerger merger;
  std::vector<uint32_t> long_ids;
  std::vector<uint32_t> boundaries = std::vector<uint32_t>(1 + kBatchRoom + kGroup);
  std::vector<uint32_t> out = std::vector<uint32_t>(kOutRoom);
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

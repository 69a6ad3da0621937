// What a thread keeps between calls of an encoder that cuts texts into pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenizers/internal/page_memory.h"
#include "tokenizers/segment_encoders/piece_cache.h"

namespace hearth::tokenizers {

struct PieceState {
  // Boundaries of a batch of pieces, and their ids: both stay in level 1. A batch ends with the
  // block or the walk that fills it, hence the room above it.
  static constexpr size_t kBatchPieces = 512;
  static constexpr size_t kBatchRoom = kBatchPieces + 128;
  // No piece adds more ids than this to the batch; it stays far below in all but odd texts.
  static constexpr size_t kMostIds = 64;
  static constexpr size_t kOutRoom = (kBatchRoom + 1) * kMostIds;
  // Boundaries are read in groups, with the one before.
  static constexpr size_t kGroup = 64;

  PieceCache cache;
  std::vector<uint32_t> long_ids;
  std::vector<uint32_t> boundaries = std::vector<uint32_t>(1 + kBatchRoom + kGroup);
  std::vector<uint32_t> out = std::vector<uint32_t>(kOutRoom);
};

}  // namespace hearth::tokenizers

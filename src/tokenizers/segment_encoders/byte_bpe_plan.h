// The tables of a byte-level BPE vocabulary, laid out for look-ups: one block of memory without
// pointers, so that it can be kept in a file and mapped.
//
// Immutable and thread-safe once built. Merges follow the reference: the lowest rank first, the
// leftmost of equal ones.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/segment_encoders/byte_bpe_rules.h"
#include "tokenizers/segment_encoders/piece_key.h"

namespace hearth::tokenizers {

// Three whole-piece tokens in a cache line.
struct alignas(64) ByteBpeVocabLine {
  PieceKey keys[3];
  uint32_t ids[3];
  uint32_t used;
};
static_assert(sizeof(ByteBpeVocabLine) == 64);

struct ByteBpeConfig {
  ByteBpeSplit split = ByteBpeSplit::kGpt2;
  bool ignore_merges = false;  // a piece that is a token is that token, whatever the merges say
  bool nfc = false;            // normalise to NFC first
  bool drops_unknown = true;   // no unk_token: bytes that the vocabulary lacks vanish
};

class ByteBpePlan {
 public:
  // Pairs lie in lines of eight, filled from the front: one cache line answers.
  static constexpr int kPairsPerLine = 8;
  static constexpr uint32_t kNoRank = 0xFFFFFFFF;
  // Limits of the packed pair table; larger vocabularies take the plain path.
  static constexpr uint32_t kMaxId = (1u << 20) - 1;
  static constexpr uint32_t kMaxRank = (1u << 24) - 2;

  const ByteBpeConfig& config() const { return config_; }

  // Bytes of rare characters that the vocabulary lacks (StarCoder has no 0xF1).
  std::string_view missing_bytes() const { return missing_bytes_; }
  uint32_t ByteId(uint8_t byte) const { return byte_ids_[byte]; }
  uint32_t BytePairRank(uint8_t left, uint8_t right) const {
    return byte_pair_ranks_[left << 8 | right];
  }
  // A slot is left << 44 | right << 24 | rank. A pair is in its line, or, when that is full, in the
  // next one.
  static constexpr uint64_t kEmptyPair = ~uint64_t{0};
  static uint64_t PairKey(uint32_t left, uint32_t right) { return uint64_t{left} << 20 | right; }
  uint64_t PairLine(uint64_t key) const { return (key * 0x9E3779B97F4A7C15u) >> pair_shift_; }
  uint64_t NextPairLine(uint64_t line) const { return (line + 1) & pair_mask_; }
  const uint64_t* PairSlots(uint64_t line) const { return pairs_ + line * kPairsPerLine; }
  uint32_t PairRank(uint32_t left, uint32_t right) const;
  uint32_t Merged(uint32_t rank) const { return merged_[rank]; }

  // The token that a whole piece becomes at once: never one that the merges do not reach.
  std::optional<uint32_t> FindShort(PieceKey key) const {
    uint64_t i = HashKey(key.low, key.high) >> vocab_shift_;
    for (;; i = (i + 1) & vocab_mask_) {
      const ByteBpeVocabLine& line = vocab_[i];
      for (int k = 0; k < 3; ++k) {
        if (line.keys[k] == key) return line.ids[k];
      }
      if (line.used < 3) return std::nullopt;
    }
  }
  const void* ShortLine(PieceKey key) const {
    return &vocab_[HashKey(key.low, key.high) >> vocab_shift_];
  }
  // The same for pieces of more than 16 bytes; only with ignore_merges.
  std::optional<uint32_t> FindLong(std::string_view piece) const;

 private:
  friend class ByteBpePlanBuilder;
  friend class ByteBpePlanFile;
  ByteBpeConfig config_;
  std::array<uint32_t, 256> byte_ids_ = {};
  std::string missing_bytes_;
  const uint32_t* byte_pair_ranks_ = nullptr;  // 65536
  const uint64_t* pairs_ = nullptr;
  const uint32_t* merged_ = nullptr;
  const ByteBpeVocabLine* vocab_ = nullptr;
  uint64_t pair_mask_ = 0, vocab_mask_ = 0;
  int pair_shift_ = 0, vocab_shift_ = 0;
  // Tokens of more than 16 bytes: hash slots (index + 1), then where each lies in the bytes.
  const uint32_t* long_slots_ = nullptr;
  const uint32_t* long_ids_ = nullptr;
  const uint32_t* long_offsets_ = nullptr;  // one more than there are tokens
  const char* long_bytes_ = nullptr;
  uint64_t long_mask_ = 0;
  uint64_t merged_count_ = 0, long_count_ = 0;

  std::shared_ptr<const void> memory_;
};

}  // namespace hearth::tokenizers

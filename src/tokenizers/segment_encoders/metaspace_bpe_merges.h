// Byte pair encoding of one stretch of text over characters (not bytes), as SentencePiece models
// are written in a tokenizer.json: unknown characters become byte tokens or the unknown token.
//
// The order of merges is the reference's: the lowest rank first, of equal ranks the leftmost.
// Immutable after construction and safe for concurrent use; each thread has its own Work.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "tokenizers/internal/bpe_windows.h"
#include "tokenizers/model.h"
#include "tokenizers/segment_encoders/code_point_table.h"
#include "tokenizers/segment_encoders/encoder_tables.h"

namespace hearth::tokenizers {

class MetaspaceMerges {
 public:
  // Which neighbours can never become part of one token: flags by (last byte of the left character,
  // first byte of the right one). A set flag says "may join"; the space stands for U+2581.
  class JoinTable {
   public:
    bool MayJoin(uint8_t left, uint8_t right) const {
      return (rows_[left][right >> 6] >> (right & 63) & 1) != 0;
    }
    void Allow(uint8_t left, uint8_t right) { rows_[left][right >> 6] |= 1ull << (right & 63); }

   private:
    uint64_t rows_[256][4] = {};
  };

  struct Symbol {
    uint32_t id;              // kGone once merged into its left neighbour
    uint32_t previous, next;  // kGone at the ends
  };
  struct Work {
    std::vector<Symbol> symbols;
    std::vector<uint64_t> heap;  // rank << 32 | position
    std::vector<internal::BpeToken> tokens, fresh;
    std::vector<uint32_t> ids;
  };

  // `model` is the "model" object without its tables, which come apart. nullptr where equal ids are
  // not certain: dropout, affixes, merges over byte tokens, ...
  static std::unique_ptr<const MetaspaceMerges> Make(const Json& model, const ModelTables& tables,
                                                     const KeptTables& kept = {});
  EncoderTableList tables() const;

  const JoinTable& joins() const { return joins_; }
  // Of the unknown token, which stands for other texts than its name; none: no token is so.
  std::optional<uint32_t> unknown_id() const {
    return unknown_id_ == kGone ? std::nullopt : std::optional(unknown_id_);
  }

  // Appends the ids of `text`; a space means U+2581. The text must not join with its neighbours.
  void Encode(std::string_view text, Work* work, std::vector<uint32_t>* ids) const;

 private:
  // A pair and its rank in eight bytes, so that a vocabulary's table stays near the second-level
  // cache: left id, right id, rank. No file has as much as these widths hold; others are declined.
  static constexpr int kIdBits = 22;
  static constexpr int kRankBits = 20;
  static constexpr uint64_t kFree = ~uint64_t{0};
  static constexpr uint32_t kNoRank = (uint32_t{1} << kRankBits) - 1;
  static constexpr uint32_t kGone = 0xFFFFFFFFu;

  struct CharacterId {
    uint32_t code_point, id;
  };
  struct Arrays {
    std::vector<uint64_t> pairs;
    std::vector<uint32_t> merged_ids;
  };

  MetaspaceMerges() : characters_(kGone) {}
  class Loader;

  // kNoRank when the two do not merge.
  uint32_t FindRank(uint32_t left, uint32_t right) const {
    uint64_t pair = static_cast<uint64_t>(left) << kIdBits | right;
    size_t mask = pairs_.size() - 1;
    for (size_t slot = FirstSlot(pair);; slot = (slot + 1) & mask) {
      uint64_t entry = pairs_[slot];
      if (entry >> kRankBits == pair) return static_cast<uint32_t>(entry) & kNoRank;
      if (entry == kFree) return kNoRank;
    }
  }
  size_t FirstSlot(uint64_t pair) const {
    return static_cast<size_t>(pair * 0x9E3779B97F4A7C15 >> slot_shift_);
  }
  void Split(std::string_view text, std::vector<uint32_t>* ids) const;
  void MergeShort(Work* work) const;
  void MergeLong(Work* work) const;
  void MergeRange(uint32_t begin, uint32_t end, Work* work,
                  std::vector<internal::BpeToken>* tokens) const;

  CodePointTable<uint32_t> characters_;  // id or kGone
  std::vector<uint32_t> byte_ids_;       // 256, or none
  uint32_t unknown_id_ = kGone;
  bool fuse_unknown_ = false;
  std::span<const uint64_t> pairs_;  // open addressing, 2^(64 - slot_shift_) places
  int slot_shift_ = 60;
  std::span<const uint32_t> merged_ids_;  // by rank
  std::shared_ptr<const void> owner_;     // of the two
  JoinTable joins_;
  std::vector<CharacterId> character_list_;  // what characters_ is made of
};

}  // namespace hearth::tokenizers

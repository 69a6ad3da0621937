// Where a text of a SentencePiece-like vocabulary can be cut: between neighbours that stand beside
// each other in no token.
//
// The exact answer is a table of flags by pairs of bytes (MetaspaceMerges::JoinTable). For pairs of
// ASCII it is also kept as sets of eight groups of left neighbours, which 64 bytes at once can be
// asked for: a pair may join when the right one's set holds the left one's group. Groups say "may
// join" somewhat too often, which does no harm.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tokenizers/segment_encoders/letter_run.h"
#include "tokenizers/segment_encoders/metaspace_bpe_merges.h"

namespace hearth::tokenizers {

struct MetaspaceCuts {
  // `joins` must outlive this. `at_marks`: each mark begins a piece, whatever the merges say.
  MetaspaceCuts(const MetaspaceMerges::JoinTable& joins, bool at_marks)
      : joins(joins), at_marks(at_marks) {
    for (uint8_t byte = 0; byte < 128; ++byte) group[byte] = GroupOf(byte);
    for (uint8_t left = 0; left < 128; ++left) {
      for (uint8_t right = 0; right < 128; ++right) {
        if (joins.MayJoin(left, right)) may_follow[right] |= group[left];
      }
    }
  }

  // Whether `at`, which is not the beginning of the text, is a cut.
  bool IsCut(const uint8_t* at, const uint8_t* end) const {
    return !joins.MayJoin(at[-1], *at) || (at_marks && IsMark(at, end));
  }

  // The first cut from `at` on; `left` is the byte before `at`.
  const uint8_t* Find(const uint8_t* at, const uint8_t* end, uint8_t left) const {
    while (at < end && joins.MayJoin(left, *at) && !(at_marks && IsMark(at, end))) {
      // Letters are taken as joining with letters: a cut that is left out does no harm.
      const uint8_t* next = IsAsciiLetter(*at) ? SkipAsciiLetters(at + 1, end) : at + 1;
      left = next[-1];
      at = next;
    }
    return at;
  }

  static bool IsMark(const uint8_t* at, const uint8_t* end) {
    return *at == ' ' || (*at == 0xE2 && end - at >= 3 && at[1] == 0x96 && at[2] == 0x81);
  }

  const MetaspaceMerges::JoinTable& joins;
  const bool at_marks;
  // One bit: the group of a left neighbour; and the groups that a right one may follow.
  alignas(64) std::array<uint8_t, 128> group = {};
  alignas(64) std::array<uint8_t, 128> may_follow = {};

 private:
  // What merges with the same things: published vocabularies join words to spaces only, signs to
  // signs, digits to nothing, line ends and tabs to themselves.
  static uint8_t GroupOf(uint8_t byte) {
    if (byte == ' ') return 1 << 0;
    if (IsAsciiLetter(byte)) return 1 << 1;
    if (byte == '\n') return 1 << 3;
    if (byte == '\t' || byte == '\r') return 1 << 4;
    if (byte < ' ' || byte == 0x7F || IsAsciiAlphanumeric(byte)) return 1 << 2;
    if (std::string_view(".,;:!?'\"").find(static_cast<char>(byte)) != std::string_view::npos) {
      return 1 << 5;
    }
    if (std::string_view("()[]{}").find(static_cast<char>(byte)) != std::string_view::npos) {
      return 1 << 6;
    }
    return 1 << 7;
  }
};

}  // namespace hearth::tokenizers

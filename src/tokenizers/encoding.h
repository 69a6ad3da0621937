// What encoding a text gives: parallel arrays, one entry per token.
//
// Offsets are positions in the text that the caller passed, [begin, end), in the unit that the
// caller asked for: bytes of the UTF-8 text, or code points, which is what Python users see.
// Value types: copy and move freely, no shared state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::tokenizers {

struct Offsets {
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const Offsets&) const = default;
};

// One token of a model, before post-processing. Offsets are in bytes of the piece that was given.
struct Token {
  uint32_t id = 0;
  std::string value;
  Offsets offsets;
  bool operator==(const Token&) const = default;
};

enum class Side { kLeft, kRight };

struct Encoding {
  // The tokens that came from one input sequence (0 or 1), without the special tokens around them.
  struct SequenceRange {
    size_t sequence = 0;
    size_t begin = 0;
    size_t end = 0;
    bool operator==(const SequenceRange&) const = default;
  };

  std::vector<uint32_t> ids;
  std::vector<uint32_t> type_ids;
  std::vector<std::string> tokens;
  std::vector<std::optional<uint32_t>> word_ids;  // nullopt: special tokens and padding
  std::vector<Offsets> offsets;
  std::vector<uint8_t> special_tokens_mask;    // 1: added by the post-processor or by padding
  std::vector<uint8_t> attention_mask;         // 0: padding
  std::vector<Encoding> overflowing;           // what truncation cut off, piece by piece
  std::vector<SequenceRange> sequence_ranges;  // empty: one sequence that covers everything

  bool operator==(const Encoding&) const = default;

  size_t size() const { return ids.size(); }
  bool empty() const { return ids.empty(); }
  void Reserve(size_t size);
  size_t sequence_count() const { return sequence_ranges.empty() ? 1 : sequence_ranges.size(); }

  // The range of a sequence; everything when it is not known.
  SequenceRange RangeOf(size_t sequence) const;
  // Which sequence each token belongs to; nullopt for special tokens.
  std::vector<std::optional<size_t>> SequenceIds() const;

  // Look-ups between tokens, words and positions; nullopt when there is no such thing. A pair of
  // sequences shares positions and word numbers, so these take the sequence.
  std::optional<size_t> TokenToSequence(size_t token) const;
  std::optional<Offsets> WordToTokens(uint32_t word, size_t sequence) const;
  std::optional<Offsets> WordToOffsets(uint32_t word, size_t sequence) const;
  std::optional<size_t> PositionToToken(size_t position, size_t sequence) const;
  std::optional<uint32_t> PositionToWord(size_t position, size_t sequence) const;

  // Whole sequence becomes that number (range and, where asked for, type ids).
  void SetSequence(size_t sequence);
  void SetTypeIds(uint32_t type_id);

  // Cuts to `max_length` tokens; the rest goes to `overflowing` in pieces that share `stride`
  // tokens with their neighbour. Throws Error{kInvalidArgument} unless stride < max_length, or
  // max_length is 0 (then everything overflows as one piece).
  void Truncate(size_t max_length, size_t stride, Side side);

  // Fills up to `length` tokens, the overflowing pieces too. Longer encodings stay as they are.
  struct Padding {
    size_t length = 0;
    uint32_t id = 0;
    uint32_t type_id = 0;
    std::string_view token;
    Side side = Side::kRight;
  };
  void Pad(const Padding& padding);

  // Appends another encoding; overflowing pieces are combined each with each. Throws
  // Error{kTooLarge} when the combinations pass 2^26 tokens.
  void Append(Encoding other);
};

// Byte offsets of `text` as code points: a position inside a character becomes the character's.
// What lies outside of the text stays as it is.
void CharacterOffsets(std::string_view text, std::vector<Offsets>* offsets);

}  // namespace hearth::tokenizers

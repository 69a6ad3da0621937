// Cutting encodings to a length and filling them up to one: the "truncation" and "padding" objects
// of a tokenizer.json. Value types.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "codec/json.h"
#include "tokenizers/encoding.h"

namespace hearth::tokenizers {

// Which sequence of a pair gives way.
enum class TruncationStrategy { kLongestFirst, kOnlyFirst, kOnlySecond };

struct Truncation {
  size_t max_length = 512;  // tokens, special ones included
  size_t stride = 0;        // tokens that neighbouring overflowing pieces share
  TruncationStrategy strategy = TruncationStrategy::kLongestFirst;
  Side side = Side::kRight;  // the side that is cut off
  bool operator==(const Truncation&) const = default;

  Json ToJson() const;
  // Throws Error{kInvalidArgument} naming the key at fault.
  static Truncation Parse(const Json& json);
};

struct PaddingOptions {
  std::optional<size_t> fixed_length;  // nullopt: the longest of the batch
  Side side = Side::kRight;
  std::optional<size_t> multiple_of;  // the length is rounded up to a multiple
  uint32_t pad_id = 0;
  uint32_t pad_type_id = 0;
  std::string pad_token = "[PAD]";
  bool operator==(const PaddingOptions&) const = default;

  Json ToJson() const;
  // Throws Error{kInvalidArgument} naming the key at fault.
  static PaddingOptions Parse(const Json& json);
};

// Cuts the one or two sequences of an input so that together they have at most `max_length` tokens.
// Throws Error{kInvalidArgument} when the strategy cannot get there.
void TruncateSequences(const Truncation& truncation, std::span<Encoding> sequences);

// Fills all of them, with their overflowing pieces, up to the same length. Throws Error{kTooLarge}
// when that passes 2^24 tokens.
void PadEncodings(const PaddingOptions& padding, std::span<Encoding> encodings);

}  // namespace hearth::tokenizers

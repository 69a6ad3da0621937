// What one run of a model computes: some rows of tokens, belonging to some sequences, nothing
// padded.
//
// Sequences lie one after another in the rows: an encoder's texts, a decoder's prompts (or parts of
// prompts), or one row per sequence while it generates, all mixed as the scheduler likes. Values of
// a model are matrices of fp32 whose rows follow one of a few row spaces.
#pragma once

#include <cstdint>
#include <span>

namespace hearth::tensor {

// What the rows of a value stand for; how many there are is known only when a batch runs.
enum class RowSpace : uint8_t {
  kTokens,    // Batch::token_ids
  kSegments,  // Batch::segments
  kOutputs,   // Batch::output_rows
};

// The part of one sequence that a run computes.
struct Segment {
  uint32_t first_row = 0;  // rows [first_row, first_row + rows) of the tokens
  uint32_t rows = 0;       // at least 1
  uint32_t past = 0;       // tokens of the sequence that are in the KV cache already
  // Cache pages of the sequence in order, enough for past + rows tokens; empty without a cache.
  std::span<const uint32_t> pages;
  int32_t adapter = -1;  // index of an adapter; -1: none
  // Tokens of the sequence as far as they are known, of which rotary positions may depend; 0: no
  // more than past + rows.
  uint32_t length = 0;
  // Of its first rows, those that pooling leaves out (a prompt's); fewer than `rows`.
  uint32_t unpooled = 0;
  uint32_t Length() const { return length > past + rows ? length : past + rows; }
};

struct Batch {
  std::span<const uint32_t> token_ids;
  std::span<const uint32_t> positions;    // as many; of each token in its sequence
  std::span<const uint32_t> token_types;  // as many, or empty: all 0
  std::span<const Segment> segments;      // cover all rows in order
  std::span<const uint32_t> output_rows;  // rows of the tokens, rising
  // Tokens that are no numbers: values of Builder::Features, row by row. Empty where the model asks
  // for none.
  std::span<const float> features = {};

  uint64_t Rows(RowSpace space) const {
    switch (space) {
      case RowSpace::kTokens:
        return token_ids.size();
      case RowSpace::kSegments:
        return segments.size();
      case RowSpace::kOutputs:
        return output_rows.size();
    }
    return 0;
  }
};

}  // namespace hearth::tensor

// How a picture or a spectrogram becomes tokens: rectangles of it, in reading order, each of whose
// values are one row of a model's features.
//
// Before the patches stands a row that belongs to no patch (CLS); models that were distilled have
// one more. Here that one comes last, where transformers puts it second: attention does not know
// the order of rows, positions are added by number, and the first and the last row of a segment can
// be chosen (tensor::Pooling). Plain data, pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hearth::runtime {

struct PatchGrid {
  uint32_t channels = 0, height = 0, width = 0;  // of the values, [channels][height][width]
  uint32_t patch_height = 0, patch_width = 0;
  uint32_t row_stride = 0, column_stride = 0;  // below the patch's sides: patches overlap
  uint32_t special_rows = 1;                   // 1, or 2 with one that comes last

  uint32_t rows() const { return (height - patch_height) / row_stride + 1; }
  uint32_t columns() const { return (width - patch_width) / column_stride + 1; }
  uint32_t tokens() const { return rows() * columns() + special_rows; }
  uint32_t patch_values() const { return channels * patch_height * patch_width; }
  uint64_t values() const { return uint64_t{channels} * height * width; }
};

// Throws kInvalidArgument unless the grid has patches, and a number of tokens and values that a
// machine can hold.
void CheckPatchGrid(const PatchGrid& grid);

// What the rows are, for tensor::TokenInput::kTypes.
enum PatchRowKind : uint32_t { kPatchRow = 0, kFirstSpecialRow = 1, kLastSpecialRow = 2 };
std::vector<uint32_t> PatchRowKinds(const PatchGrid& grid);

// grid.tokens() rows of grid.patch_values(): the special rows are zeros. `values` are as many as
// the grid has; channels and then rows of a patch lie one after another in a token, as the weights
// of a convolution do.
std::vector<float> CutPatches(const PatchGrid& grid, std::span<const float> values);

}  // namespace hearth::runtime

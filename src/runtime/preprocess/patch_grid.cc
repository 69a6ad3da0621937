#include "runtime/preprocess/patch_grid.h"

#include <algorithm>

#include "base/error.h"

namespace hearth::runtime {
namespace {

// Of one input: 65,536 tokens are a picture of 4096 x 4096 in patches of 16, and 2^26 values of all
// patches (256 MiB) are five times what such a picture has.
constexpr uint64_t kMaxTokens = 1u << 16, kMaxFeatures = 1u << 26;

}  // namespace

void CheckPatchGrid(const PatchGrid& grid) {
  bool has_patches = grid.channels > 0 && grid.patch_height > 0 && grid.patch_width > 0 &&
                     grid.row_stride > 0 && grid.column_stride > 0 &&
                     grid.patch_height <= grid.height && grid.patch_width <= grid.width;
  if (!has_patches) {
    throw Error(Code::kInvalidArgument, "patches of " + std::to_string(grid.patch_height) + " x " +
                                            std::to_string(grid.patch_width) + " do not fit into " +
                                            std::to_string(grid.height) + " x " +
                                            std::to_string(grid.width));
  }
  uint64_t tokens = uint64_t{grid.rows()} * grid.columns() + grid.special_rows;
  uint64_t patch = uint64_t{grid.patch_height} * grid.patch_width;
  if (tokens > kMaxTokens || patch * grid.channels > kMaxFeatures ||
      tokens * patch * grid.channels > kMaxFeatures) {
    throw Error(Code::kInvalidArgument, std::to_string(grid.height) + " x " +
                                            std::to_string(grid.width) +
                                            " is more than a model's input may be");
  }
}

std::vector<uint32_t> PatchRowKinds(const PatchGrid& grid) {
  std::vector<uint32_t> kinds(grid.tokens(), kPatchRow);
  kinds.front() = kFirstSpecialRow;
  if (grid.special_rows > 1) kinds.back() = kLastSpecialRow;
  return kinds;
}

std::vector<float> CutPatches(const PatchGrid& grid, std::span<const float> values) {
  if (values.size() != grid.values()) {
    throw Error(Code::kInvalidArgument, "an input has " + std::to_string(values.size()) +
                                            " values where the model takes " +
                                            std::to_string(grid.values()));
  }
  std::vector<float> features(uint64_t{grid.tokens()} * grid.patch_values());
  auto out = features.begin() + grid.patch_values();
  for (uint32_t row = 0; row < grid.rows(); ++row) {
    for (uint32_t column = 0; column < grid.columns(); ++column) {
      for (uint32_t line = 0; line < grid.channels * grid.patch_height; ++line) {
        uint64_t channel = line / grid.patch_height;
        uint64_t y = uint64_t{row} * grid.row_stride + line % grid.patch_height;
        auto first =
            values.begin() + static_cast<int64_t>((channel * grid.height + y) * grid.width +
                                                  uint64_t{column} * grid.column_stride);
        out = std::copy_n(first, grid.patch_width, out);
      }
    }
  }
  return features;
}

}  // namespace hearth::runtime

#include "runtime/preprocess/patch_grid.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"

namespace hearth::runtime {
namespace {

PatchGrid Grid(uint32_t height, uint32_t width, uint32_t patch, uint32_t stride) {
  PatchGrid grid;
  grid.channels = 2, grid.height = height, grid.width = width;
  grid.patch_height = grid.patch_width = patch;
  grid.row_stride = grid.column_stride = stride;
  return grid;
}

TEST(PatchGridTest, PatchesAreCutInReadingOrderChannelByChannel) {
  PatchGrid grid = Grid(4, 6, 2, 2);
  std::vector<float> values(grid.values());
  std::iota(values.begin(), values.end(), 0.0f);
  std::vector<float> rows = CutPatches(grid, values);
  ASSERT_EQ(rows.size(), 7u * 8);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(rows[i], 0);  // the special row
  // The second patch of the second line: columns 2 and 3 of rows 2 and 3, of both channels.
  std::vector<float> fifth(rows.begin() + 5 * 8, rows.begin() + 6 * 8);
  EXPECT_EQ(fifth, (std::vector<float>{14, 15, 20, 21, 38, 39, 44, 45}));
}

TEST(PatchGridTest, StridesBelowThePatchOverlap) {
  PatchGrid grid = Grid(3, 5, 3, 2);
  grid.special_rows = 2;
  EXPECT_EQ(grid.rows(), 1u);
  EXPECT_EQ(grid.columns(), 2u);
  EXPECT_EQ(PatchRowKinds(grid), (std::vector<uint32_t>{kFirstSpecialRow, 0, 0, kLastSpecialRow}));
  std::vector<float> values(grid.values());
  std::iota(values.begin(), values.end(), 0.0f);
  std::vector<float> rows = CutPatches(grid, values);
  EXPECT_EQ(rows[18], 0);
  EXPECT_EQ(rows[2 * 18], 2);  // the second patch begins in the first one's last column
  EXPECT_EQ(rows[3 * 18], 0);
  EXPECT_EQ(rows[3 * 18 + 17], 0);
}

TEST(PatchGridTest, WhatDoesNotFitIsRefused) {
  EXPECT_NO_THROW(CheckPatchGrid(Grid(224, 224, 16, 16)));
  for (PatchGrid grid : {Grid(0, 0, 0, 0), Grid(8, 8, 16, 16), Grid(16, 8, 16, 16),
                         Grid(16, 16, 16, 0), Grid(1u << 14, 1u << 14, 1, 1),
                         Grid(1u << 20, 1u << 20, 1u << 20, 1), Grid(4096, 4096, 2048, 8)}) {
    EXPECT_THROW(CheckPatchGrid(grid), Error) << grid.height << " " << grid.patch_height;
  }
  PatchGrid many = Grid(16, 16, 16, 16);
  many.channels = UINT32_MAX;
  EXPECT_THROW(CheckPatchGrid(many), Error);
  EXPECT_THROW(CutPatches(Grid(4, 4, 2, 2), std::vector<float>(31)), Error);
}

}  // namespace
}  // namespace hearth::runtime

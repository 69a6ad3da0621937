#include "tensor/kernels/kv_cache.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"

namespace hearth::tensor {
namespace {

TEST(KvCacheTest, PagesHoldAllLayersAndHeads) {
  EXPECT_EQ(KvCache::PageBytes({2, 3, 64, KvType::kF32}), 16u * 2 * 2 * 3 * 64 * 4);
  EXPECT_EQ(KvCache::PageBytes({2, 3, 64, KvType::kF16}), 16u * 2 * 2 * 3 * 64 * 2);
  EXPECT_EQ(KvCache::PageBytes({2, 3, 64, KvType::kInt8}), 16u * 2 * 2 * 3 * (64 + 4));
  KvCache cache({2, 3, 64, KvType::kF16}, 5);
  EXPECT_EQ(cache.LayerPage(1, 0) - cache.LayerPage(0, 0),
            static_cast<int64_t>(KvCache::PageBytes(cache.shape())));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(cache.LayerPage(3, 1)) % 64, 0u);
}

TEST(KvCacheTest, CopyTakesAWholePageAndNothingElse) {
  KvCache cache({2, 1, 8, KvType::kInt8}, 3);
  uint64_t bytes = KvCache::PageBytes(cache.shape());
  for (uint32_t page = 0; page < 3; ++page) {
    std::memset(cache.LayerPage(page, 0), static_cast<int>(page + 1), bytes);
  }
  cache.CopyPage(2, 1);
  cache.CopyPage(0, 0);
  for (uint64_t i = 0; i < bytes; ++i) {
    ASSERT_EQ(cache.LayerPage(0, 0)[i], 1);
    ASSERT_EQ(cache.LayerPage(1, 0)[i], 3);
    ASSERT_EQ(cache.LayerPage(2, 0)[i], 3);
  }
}

TEST(KvCacheTest, MemoryAppearsWhenTouched) {
  // 64 GB of addresses on any machine.
  KvCache cache({32, 8, 128, KvType::kF16}, 1 << 15);
  cache.LayerPage(cache.pages() - 1, 31)[0] = 7;
  EXPECT_EQ(cache.LayerPage(cache.pages() - 1, 31)[0], 7);
}

TEST(KvCacheTest, ImpossibleShapesAreRefused) {
  auto code = [](const KvShape& shape, uint32_t pages) {
    try {
      KvCache cache(shape, pages);
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kInternal;
  };
  EXPECT_EQ(code({0, 1, 8, KvType::kF16}, 1), Code::kInvalidArgument);
  EXPECT_EQ(code({1, 1, 6, KvType::kF16}, 1), Code::kInvalidArgument);
  EXPECT_EQ(code({1 << 20, 1 << 10, 1024, KvType::kF32}, 1 << 20), Code::kTooLarge);
}

}  // namespace
}  // namespace hearth::tensor

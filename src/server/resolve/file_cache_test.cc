#include "server/resolve/file_cache.h"

#include <gtest/gtest.h>

namespace hearth::server {
namespace {

std::shared_ptr<const RepoFile> FileOf(size_t content_bytes) {
  auto file = std::make_shared<RepoFile>();
  file->content = std::make_shared<const std::string>(content_bytes, 'x');
  return file;
}

TEST(FileCache, RemembersWhatWasPut) {
  FileCache cache;
  auto file = FileOf(10);
  EXPECT_EQ(cache.Find("1 1 main a"), nullptr);
  cache.Put("1 1 main a", file);
  EXPECT_EQ(cache.Find("1 1 main a"), file);
  EXPECT_EQ(cache.Find("1 2 main a"), nullptr);
}

TEST(FileCache, StaysWithinItsLimitAndForgetsTheLeastRecentlyUsed) {
  FileCache cache(16 * 4096);
  cache.Put("kept", FileOf(100));
  for (int i = 0; i < 2000; ++i) {
    cache.Put("filler" + std::to_string(i), FileOf(100));
    ASSERT_NE(cache.Find("kept"), nullptr) << i;
  }
  EXPECT_EQ(cache.Find("filler0"), nullptr);
  size_t held = 0;
  for (int i = 0; i < 2000; ++i) held += cache.Find("filler" + std::to_string(i)) != nullptr;
  EXPECT_LE(held, 16u * 4096 / 1400);
  EXPECT_GT(held, 0u);
}

TEST(FileCache, WhatIsLargerThanAShareIsNotKept) {
  FileCache cache(16 * 4096);
  cache.Put("large", FileOf(8192));
  EXPECT_EQ(cache.Find("large"), nullptr);
}

}  // namespace
}  // namespace hearth::server

#include "tokenizers/compiled_cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/file.h"
#include "tokenizers/segment_encoders/byte_bpe_load.h"
#include "tokenizers/segment_encoders/byte_bpe_testing.h"

namespace hearth::tokenizers {
namespace {

std::vector<uint32_t> IdsOf(const SegmentEncoder& encoder, std::string_view text) {
  auto scratch = encoder.MakeScratch();
  std::vector<uint32_t> ids;
  encoder.Encode(text, SegmentPosition::kStartOfText, *scratch, &ids);
  return ids;
}

class CompiledCacheTest : public testing::Test {
 protected:
  CompiledCacheTest() { std::filesystem::remove_all(folder_); }
  ~CompiledCacheTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("hearth-compiled-" + std::to_string(getpid()));
  CompiledCache cache_{folder_};
};

TEST_F(CompiledCacheTest, WhatIsKeptGivesTheSameIds) {
  for (const ByteBpeFamily& family : ByteBpeFamilies()) {
    Json json = SmallByteBpe(family);
    std::string text = json.Dump();
    auto fresh = MakeSegmentEncoder(json);
    EXPECT_EQ(cache_.Find(Sha256Of(text)), nullptr);
    ASSERT_NE(cache_.Load(text), nullptr);
    auto found = cache_.Find(Sha256Of(text));
    ASSERT_NE(found, nullptr) << family.name;
    for (uint64_t seed = 0; seed < 50; ++seed) {
      std::string sample = HardText(seed, 40);
      EXPECT_EQ(IdsOf(*found, sample), IdsOf(*fresh, sample)) << family.name;
    }
  }
}

TEST_F(CompiledCacheTest, ADamagedFileIsMadeAgain) {
  std::string text = SmallByteBpe(ByteBpeFamilies()[3]).Dump();
  Sha256 digest = Sha256Of(text);
  cache_.Load(text, digest);
  std::string good = ReadFile(cache_.PathOf(digest));
  auto refused = [&](std::string bytes) {
    std::ofstream(cache_.PathOf(digest), std::ios::binary) << bytes;
    return cache_.Find(digest) == nullptr;
  };
  // Any byte of the header, and bytes all over the tables.
  for (size_t at = 0; at < good.size(); at += at < 1200 ? 1 : 4099) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    ASSERT_TRUE(refused(bad)) << at;
  }
  for (size_t size :
       {size_t{0}, size_t{1}, size_t{63}, size_t{1100}, good.size() / 2, good.size() - 1}) {
    EXPECT_TRUE(refused(good.substr(0, size))) << size;
  }
  EXPECT_TRUE(refused(good + '\0'));
  EXPECT_NE(cache_.Load(text, digest), nullptr);
  EXPECT_EQ(ReadFile(cache_.PathOf(digest)), good);
}

TEST_F(CompiledCacheTest, AFileForAnotherTokenizerIsNotTaken) {
  std::string text = SmallByteBpe(ByteBpeFamilies()[0]).Dump();
  std::string other = SmallByteBpe(ByteBpeFamilies()[3]).Dump();
  cache_.Load(text);
  std::filesystem::copy_file(cache_.PathOf(Sha256Of(text)), cache_.PathOf(Sha256Of(other)));
  EXPECT_EQ(cache_.Find(Sha256Of(other)), nullptr);
}

TEST_F(CompiledCacheTest, AFolderThatCannotBeWrittenCostsOnlyTheCache) {
  std::ofstream(folder_).put('x');  // a file where the folder should be
  std::string text = SmallByteBpe(ByteBpeFamilies()[0]).Dump();
  EXPECT_NE(cache_.Load(text), nullptr);
}

}  // namespace
}  // namespace hearth::tokenizers

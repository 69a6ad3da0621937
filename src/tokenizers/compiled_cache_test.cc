#include "tokenizers/compiled_cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/file.h"
#include "tokenizers/segment_encoders/byte_bpe_load.h"
#include "tokenizers/segment_encoders/byte_bpe_scan.h"
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

TEST(TokenizerJsonScan, TextAndValuesMakeTheSameEncoder) {
  for (const ByteBpeFamily& family : ByteBpeFamilies()) {
    Json json = SmallByteBpe(family);
    auto from_values = MakeSegmentEncoder(json);
    for (int indent : {0, 2}) {
      auto plan = LoadByteBpePlan(json.Dump(indent));
      ASSERT_NE(plan, nullptr);
      auto from_text = MakeByteBpeEncoder(plan);
      std::string sample = HardText(7, 200);
      EXPECT_EQ(IdsOf(*from_text, sample), IdsOf(*from_values, sample));
    }
  }
}

TEST(TokenizerJsonScan, ReadsEscapesAndBothFormsOfMerges) {
  std::vector<std::string> seen;
  ASSERT_TRUE(ForEachToken(R"( { "a\"b" : 1 , "\u00e9\ud83d\ude42\\\/\n":22} )",
                           [&](std::string_view token, uint64_t id) {
                             seen.push_back(std::string(token) + "=" + std::to_string(id));
                           }));
  ASSERT_TRUE(ForEachMerge(R"([["x", "\u0120y"], "p q"])",
                           [&](std::string_view left, std::string_view right) {
                             seen.push_back(std::string(left) + "+" + std::string(right));
                           }));
  EXPECT_EQ(seen, (std::vector<std::string>{"a\"b=1", "\xC3\xA9\xF0\x9F\x99\x82\\/\n=22",
                                            "x+\xC4\xA0y", "p+q"}));
}

TEST(TokenizerJsonScan, RefusesWhatIsNotPlain) {
  auto token = [](std::string_view, uint64_t) {};
  auto merge = [](std::string_view, std::string_view) {};
  for (std::string_view bad :
       {"", "[]", "{", R"({"a")", R"({"a":})", R"({"a":-1})", R"({"a":1.5})", R"({"a":1e3})",
        R"({"a":1,})", R"({"a\x":1})", R"({"\ud800":1})", R"({"\udc00":1})", R"({"a":"1"})",
        R"({"a":99999999999999999999})"}) {
    EXPECT_FALSE(ForEachToken(bad, token)) << bad;
  }
  for (std::string_view bad : {"", "{}", "[", R"(["a"])", R"(["a b c"])", R"([["a"]])",
                               R"([["a","b","c"]])", R"([["a",1]])", R"(["a b",])"}) {
    EXPECT_FALSE(ForEachMerge(bad, merge)) << bad;
  }
  for (std::string_view bad :
       {"", "{}", R"({"model":{}})", R"({"model":{"vocab":{},"merges":[]}} x)",
        R"({"model":{"vocab":[],"merges":[]}})", R"({"model":{"vocab":{},"vocab":{},"merges":[]}})",
        R"({"model":{"vocab":{},"merges":[]},"model":{"vocab":{},"merges":[]}})",
        R"({"model":{"vocab":{},"merges":[)"}) {
    EXPECT_FALSE(CutTokenizerJson(bad).has_value()) << bad;
  }
  std::string whole = SmallByteBpe(ByteBpeFamilies()[0]).Dump();
  for (size_t size = 0; size < whole.size(); size += 3) {
    EXPECT_EQ(LoadByteBpePlan(std::string_view(whole).substr(0, size)), nullptr);
  }
}

}  // namespace
}  // namespace hearth::tokenizers

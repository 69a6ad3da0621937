#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "tokenizers/internal/compiled_cache.h"
#include "tokenizers/internal/compiled_file.h"
#include "tokenizers/segment_encoders/byte_bpe_testing.h"
#include "tokenizers/segment_encoders/segment_encoder_testing.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {
namespace {

using internal::CompiledCache;

std::vector<Json> SmallTokenizers() {
  std::vector<Json> all;
  for (const ByteBpeFamily& family : ByteBpeFamilies()) all.push_back(SmallByteBpe(family));
  all.push_back(SmallWordPiece(true, true, Json(), true));
  all.push_back(SmallSentencePieceBpe(Json(), MarkedWords(), true));
  all.push_back(SmallUnigram(Json(), MarkedWords()));
  Json twice = SmallUnigram(Json(), MarkedWords());
  Json::Array* pieces = twice.Find("model")->Find("vocab")->AsArray();
  pieces->push_back((*pieces)[5]);  // the same text again
  all.push_back(twice);
  return all;
}

// One of each way to be kept, for the tests that write many files.
std::vector<Json> FewTokenizers() {
  std::vector<Json> all = SmallTokenizers();
  std::vector<Json> few(all.end() - 4, all.end());
  few.erase(few.begin() + 2);
  few.push_back(all[0]);
  return few;
}

class CompiledCacheTest : public testing::Test {
 protected:
  CompiledCacheTest() { std::filesystem::create_directories(folder_); }
  ~CompiledCacheTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  Tokenizer Load() const { return Tokenizer::FromFile(source_, options_); }
  bool IsKept() const { return cache_.Find(source_).has_value(); }

  static void ExpectSame(const Tokenizer& a, const Tokenizer& b) {
    EXPECT_EQ(a.ToJson(), b.ToJson());
    for (uint64_t seed = 0; seed < 20; ++seed) {
      std::string sample = HardText(seed, 40);
      EXPECT_EQ(a.EncodeIds(sample), b.EncodeIds(sample));
      EXPECT_EQ(a.Encode(sample), b.Encode(sample));
    }
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("hearth-compiled-" + HexEncode(RandomBytes(6)));
  std::filesystem::path source_ = folder_ / "tokenizer.json";
  LoadOptions options_{.cache_folder = folder_ / "cache", .settled = {}};
  CompiledCache cache_{options_.cache_folder};
};

TEST_F(CompiledCacheTest, WhatIsKeptIsTheSameTokenizer) {
  for (const Json& json : SmallTokenizers()) {
    Write(source_, json.Dump());
    EXPECT_FALSE(IsKept());
    Tokenizer fresh = Load();
    EXPECT_TRUE(IsKept());
    ExpectSame(Load(), fresh);
    ExpectSame(Load(), Tokenizer::Build(json));
  }
}

TEST_F(CompiledCacheTest, AChangedSourceIsReadAgain) {
  std::vector<Json> all = SmallTokenizers();
  Write(source_, all[0].Dump());
  Load();
  ASSERT_TRUE(IsKept());
  Write(folder_ / "new", all[8].Dump());
  std::filesystem::rename(folder_ / "new", source_);
  EXPECT_FALSE(IsKept());
  ExpectSame(Load(), Tokenizer::Build(all[8]));
  Write(source_, "{}");
  EXPECT_THROW(Load(), Error);
  std::filesystem::remove(source_);
  EXPECT_THROW(Load(), Error);
}

TEST_F(CompiledCacheTest, AFileThatMayStillBeWrittenIsNotKept) {
  Write(source_, SmallTokenizers()[0].Dump());
  options_.settled = std::chrono::hours(1);
  Load();
  EXPECT_FALSE(IsKept());
}

// Every byte of the head, and bytes all over the tables: the result is that of the source.
TEST_F(CompiledCacheTest, ADamagedFileIsMadeAgain) {
  std::string sample = HardText(3, 60);
  for (const Json& json : FewTokenizers()) {
    Write(source_, json.Dump());
    Tokenizer fresh = Load();
    auto ids = fresh.EncodeIds(sample);
    Encoding encoding = fresh.Encode(sample);
    std::string text = fresh.ToJson();
    std::string good = ReadFile(cache_.PathOf(source_));
    auto expect_whole = [&](const std::string& bytes, size_t at) {
      Write(cache_.PathOf(source_), bytes);
      Tokenizer loaded = Load();
      ASSERT_EQ(loaded.EncodeIds(sample), ids) << at;
      ASSERT_EQ(loaded.Encode(sample), encoding) << at;
      ASSERT_EQ(loaded.ToJson(), text) << at;
    };
    for (size_t at = 0; at < good.size(); at += at < 500 ? 13 : 1 + good.size() / 25) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x40);
      expect_whole(bad, at);
    }
    for (size_t size : {size_t{0}, size_t{1}, size_t{63}, good.size() / 2, good.size() - 1}) {
      expect_whole(good.substr(0, size), size);
    }
    expect_whole(good + '\0', good.size() + 1);
    Load();
    EXPECT_EQ(ReadFile(cache_.PathOf(source_)), good);
  }
}

TEST_F(CompiledCacheTest, DamageThatIsFoundLateIsMendedFromTheSource) {
  Json json = SmallByteBpe(ByteBpeFamilies()[0]);
  Write(source_, json.Dump());
  Tokenizer fresh = Load();
  std::string good = ReadFile(cache_.PathOf(source_));
  // Merges and the fast path's tables, the last two sections, are not looked at when loading.
  std::string bad = good;
  for (size_t at = good.size() / 2; at < good.size(); ++at) bad[at] = static_cast<char>(~bad[at]);
  Write(cache_.PathOf(source_), bad);
  Tokenizer loaded = Load();
  ASSERT_EQ(ReadFile(cache_.PathOf(source_)), bad) << "loading noticed";
  ExpectSame(loaded, fresh);
}

TEST_F(CompiledCacheTest, AFolderThatCannotBeWrittenCostsOnlyTheCache) {
  Write(options_.cache_folder, "a file where the folder should be");
  Json json = SmallTokenizers()[0];
  Write(source_, json.Dump());
  ExpectSame(Load(), Tokenizer::Build(json));
}

// Checksums are right, the numbers are not: nothing is read outside of the file, and every call
// ends. What comes out may be anything.
TEST_F(CompiledCacheTest, NumbersAreNotTrusted) {
  std::string sample = HardText(4, 60);
  for (const Json& json : FewTokenizers()) {
    Write(source_, json.Dump());
    Load();
    auto identity = *internal::FindSourceIdentity(source_);
    std::filesystem::path path = cache_.PathOf(source_);
    auto file = internal::CompiledFile::Map(path, identity);
    ASSERT_NE(file, nullptr);
    for (uint32_t kind = 1; kind <= 18; ++kind) {
      std::optional<std::string_view> wanted = file->Find(kind);
      if (!wanted || wanted->empty()) continue;
      for (unsigned change = 0; change < 12; ++change) {
        std::string changed(*wanted);
        size_t at = (change * 2654435761u) % changed.size();
        if (change < 6) {
          changed[at] = static_cast<char>(change % 3 == 0 ? 0xFF : changed[at] ^ (1 << change % 8));
        } else if (change < 10) {
          changed.assign(changed.size(), static_cast<char>(change % 2 == 0 ? 0xFF : 1));
        } else {
          changed.resize(at & ~size_t{3});
        }
        std::vector<internal::CompiledFile::Section> sections;
        for (uint32_t other = 1; other <= 18; ++other) {
          if (other == kind) {
            sections.push_back({other, changed});
          } else if (auto bytes = file->Find(other)) {
            sections.push_back({other, *bytes});
          }
        }
        internal::CompiledFile::Write(path, identity, sections);
        try {
          Tokenizer loaded = Load();
          loaded.Decode(loaded.EncodeIds(sample), false);
          loaded.Encode(sample);
          loaded.ToJson();
        } catch (const Error&) {
        }
      }
    }
  }
}

TEST(DefaultTokenizerCache, FollowsTheUsersFolders) {
  std::string home = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
  std::string cache = std::getenv("XDG_CACHE_HOME") != nullptr ? std::getenv("XDG_CACHE_HOME") : "";
  setenv("XDG_CACHE_HOME", "/somewhere", 1);
  EXPECT_EQ(DefaultTokenizerCache(), "/somewhere/hearth/tokenizers");
  setenv("XDG_CACHE_HOME", "relative", 1);
  setenv("HOME", "/home/me", 1);
  EXPECT_EQ(DefaultTokenizerCache(), "/home/me/.cache/hearth/tokenizers");
  unsetenv("HOME");
  EXPECT_EQ(DefaultTokenizerCache(), "");
  if (!home.empty()) setenv("HOME", home.c_str(), 1);
  cache.empty() ? unsetenv("XDG_CACHE_HOME") : setenv("XDG_CACHE_HOME", cache.c_str(), 1);
}

}  // namespace
}  // namespace hearth::tokenizers

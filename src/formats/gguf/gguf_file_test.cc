#include "formats/gguf/gguf_file.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "base/file.h"
#include "formats/gguf/gguf_writer.h"

namespace hearth {
namespace {

using tensor::BlockType;

class GgufFiles : public testing::Test {
 protected:
  GgufFiles() {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = std::filesystem::temp_directory_path() / ("hearth_gguf_" + name);
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~GgufFiles() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::vector<GgufItem>& items,
             const std::vector<GgufMetadata>& metadata) {
    GgufWriter writer(folder_ / name, IfExists::kRefuse, items, metadata);
    uint8_t fill = 1;
    for (const GgufItem& item : items) {
      std::vector<uint8_t> bytes(GgufBytes(item), fill++);
      writer.Append(bytes);
    }
    writer.Commit();
  }

  // Parts of a split model: one tensor in each.
  void WriteSplit(uint64_t parts, uint64_t announced) {
    for (uint64_t part = 0; part < parts; ++part) {
      Write(GgufPartName("m", part, parts), {{"t" + std::to_string(part), BlockType::kI8, {4}}},
            {GgufTyped("split.no", "uint16", Json(part)),
             GgufTyped("split.count", "uint16", Json(parts)),
             GgufTyped("split.tensors.count", "int32", Json(announced))});
    }
  }

  std::filesystem::path folder_;
};

TEST_F(GgufFiles, MetadataOfEveryTypeComesBackInOrder) {
  std::vector<GgufMetadata> metadata = {
      GgufString("general.architecture", "llama"),
      GgufTyped("a", "uint8", Json(255)),
      GgufTyped("b", "int8", Json(-128)),
      GgufTyped("c", "uint16", Json(65535)),
      GgufTyped("d", "int16", Json(-32768)),
      GgufUint32("llama.context_length", 4294967295u),
      GgufTyped("e", "int32", Json(-2147483648ll)),
      GgufFloat32("f", 0.1),
      GgufBool("g", true),
      GgufTyped("h", "uint64", Json(UINT64_MAX)),
      GgufTyped("i", "int64", Json(INT64_MIN)),
      GgufTyped("j", "float64", Json(0.1)),
      GgufTyped("k", "array[string]", Json::Arr({"x", "", "\u00e9"})),
      GgufTyped("l", "array[float32]", Json::Arr({0.5, -1.0})),
      GgufTyped("m", "array[int32]", Json::Arr()),
  };
  Write("m.gguf", {}, metadata);
  GgufFile file = GgufFile::Open(folder_ / "m.gguf");
  ASSERT_EQ(file.header().metadata.size(), metadata.size());
  for (size_t i = 0; i < metadata.size(); ++i) {
    const GgufMetadata& read = file.header().metadata[i];
    EXPECT_EQ(read.key, metadata[i].key);
    EXPECT_EQ(read.type, metadata[i].type);
    if (read.type == "float32") {
      EXPECT_EQ(read.value, Json(double{0.1f}));
    } else {
      EXPECT_EQ(read.value, metadata[i].value) << read.key;
    }
  }
  EXPECT_EQ(file.header().context_length, 4294967295u);
}

TEST_F(GgufFiles, TensorsAreAlignedAndReadBack) {
  Write("m.gguf",
        {{"a", BlockType::kI8, {3}},
         {"b", BlockType::kQ8_0, {2, 32}},
         {"c", BlockType::kF32, {}},
         {"none", BlockType::kF16, {0}},
         {"d", BlockType::kI8, {1, 2, 3, 4}}},
        {GgufUint32("general.alignment", 64)});
  GgufFile file = GgufFile::Open(folder_ / "m.gguf");
  EXPECT_EQ(file.header().alignment, 64u);
  EXPECT_EQ(file.header().data_offset % 64, 0u);
  EXPECT_EQ(std::filesystem::file_size(folder_ / "m.gguf") % 64, 0u);
  ASSERT_EQ(file.entries().size(), 5u);
  EXPECT_EQ(file.Find("b")->tensor->offset, 64u);
  EXPECT_EQ(GgufShape(*file.Find("d")->tensor), (std::vector<uint64_t>{1, 2, 3, 4}));
  EXPECT_EQ(file.Find("d")->tensor->dims[0], 4u);
  EXPECT_EQ(file.Bytes(*file.Find("a"))[2], 1);
  EXPECT_EQ(file.Bytes(*file.Find("b")).size(), 68u);
  EXPECT_EQ(file.Find("x"), nullptr);
}

TEST_F(GgufFiles, BlocksAreSpeltOutFromAnyRow) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(4 * 256);
  for (float& value : values) value = normal(random);
  std::vector<uint8_t> bytes(tensor::BlockBytes(BlockType::kQ6_K, values.size()));
  tensor::Quantize(BlockType::kQ6_K, values, bytes);
  {
    GgufWriter writer(folder_ / "m.gguf", IfExists::kRefuse, {{"w", BlockType::kQ6_K, {4, 256}}},
                      {});
    writer.Append(std::span(bytes).subspan(0, 100));
    writer.Append(std::span(bytes).subspan(100));
    writer.Commit();
  }
  GgufFile file = GgufFile::Open(folder_ / "m.gguf");
  std::vector<float> all(1024), row(256);
  file.Dequantize(*file.Find("w"), 0, all);
  file.Dequantize(*file.Find("w"), 512, row);
  EXPECT_TRUE(std::equal(row.begin(), row.end(), all.begin() + 512));
  EXPECT_NEAR(all[700], values[700], 0.1);
  EXPECT_THROW(file.Dequantize(*file.Find("w"), 100, row), Error);
  EXPECT_THROW(file.Dequantize(*file.Find("w"), 1024, row), Error);
}

TEST_F(GgufFiles, PartsAreFoundFromAnyOfThem) {
  WriteSplit(3, 3);
  GgufFile file = GgufFile::Open(folder_ / "m-00002-of-00003.gguf");
  ASSERT_EQ(file.entries().size(), 3u);
  EXPECT_EQ(file.entries()[0].tensor->name, "t0");
  EXPECT_EQ(file.Bytes(*file.Find("t2")).size(), 4u);
  std::filesystem::remove(folder_ / "m-00003-of-00003.gguf");
  EXPECT_THROW(GgufFile::Open(folder_ / "m-00001-of-00003.gguf"), Error);
}

TEST_F(GgufFiles, PartsThatDoNotFitTogetherAreErrors) {
  WriteSplit(2, 5);
  EXPECT_THROW(GgufFile::Open(folder_ / "m-00001-of-00002.gguf"), Error);
  std::filesystem::rename(folder_ / "m-00001-of-00002.gguf", folder_ / "x.gguf");
  EXPECT_THROW(GgufFile::Open(folder_ / "x.gguf"), Error);
  std::filesystem::copy(folder_ / "m-00002-of-00002.gguf", folder_ / "m-00001-of-00002.gguf");
  EXPECT_THROW(GgufFile::Open(folder_ / "m-00002-of-00002.gguf"), Error);
}

TEST_F(GgufFiles, WhatTheFormatCannotHoldIsRefused) {
  auto refused = [&](std::vector<GgufItem> items, std::vector<GgufMetadata> metadata) {
    EXPECT_THROW(GgufWriter(folder_ / "m.gguf", IfExists::kRefuse, items, metadata), Error);
    EXPECT_TRUE(std::filesystem::is_empty(folder_));
  };
  refused({{"a", BlockType::kI8, {1}}, {"a", BlockType::kI8, {1}}}, {});
  refused({{"a", BlockType::kQ4_K, {3, 128}}}, {});
  refused({{"a", BlockType::kI8, {1, 1, 1, 1, 1}}}, {});
  refused({{"a", BlockType::kI8, {1ull << 40, 1ull << 40}}}, {});
  refused({{std::string(64, 'a'), BlockType::kI8, {1}}}, {});
  refused({}, {GgufUint32("a", 1), GgufUint32("a", 1)});
  refused({}, {GgufUint32("general.alignment", 48)});
  refused({}, {GgufTyped("a", "uint8", Json(256))});
  refused({}, {GgufTyped("a", "int8", Json("x"))});
  refused({}, {GgufTyped("a", "array[array]", Json::Arr())});
  refused({}, {GgufTyped("a", "vector", Json(1))});
}

TEST_F(GgufFiles, AnUnfinishedFileIsNone) {
  {
    GgufWriter writer(folder_ / "m.gguf", IfExists::kRefuse, {{"a", BlockType::kI8, {4}}}, {});
    writer.Append(std::vector<uint8_t>(3));
    EXPECT_THROW(writer.Commit(), Error);
    EXPECT_THROW(writer.Append(std::vector<uint8_t>(2)), Error);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(GgufFiles, EveryTruncationIsAnError) {
  Write("m.gguf", {{"a", BlockType::kQ4_0, {2, 32}}}, {GgufString("general.architecture", "x")});
  std::string whole = ReadFile(folder_ / "m.gguf");
  // The padding after the last tensor may be missing.
  size_t needed = whole.size() / 32 * 32 - 32 + 4;
  for (size_t n = 0; n < needed; ++n) {
    WriteFileDurably(folder_ / "cut.gguf", std::string_view(whole).substr(0, n));
    EXPECT_THROW(GgufFile::Open(folder_ / "cut.gguf"), Error) << n;
  }
}

}  // namespace
}  // namespace hearth

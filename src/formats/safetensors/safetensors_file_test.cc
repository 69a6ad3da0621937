#include "formats/safetensors/safetensors_file.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/file.h"
#include "formats/safetensors/safetensors_sharded.h"
#include "formats/safetensors/safetensors_writer.h"

namespace hearth {
namespace {

using tensor::Dtype;

class SafetensorsFiles : public testing::Test {
 protected:
  SafetensorsFiles() {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = std::filesystem::temp_directory_path() / ("hearth_" + name);
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~SafetensorsFiles() override { std::filesystem::remove_all(folder_); }

  // Bytes count up from `first`.
  static std::vector<uint8_t> Counting(size_t n, uint8_t first = 0) {
    std::vector<uint8_t> bytes(n);
    for (size_t i = 0; i < n; ++i) bytes[i] = static_cast<uint8_t>(first + i);
    return bytes;
  }

  void Write(const std::string& name, std::vector<SafetensorsItem> items, uint8_t first = 0) {
    uint64_t bytes = 0;
    for (const SafetensorsItem& item : items) bytes += SafetensorsBytes(item);
    SafetensorsWriter writer(folder_ / name, IfExists::kRefuse, std::move(items),
                             {{"format", "pt"}});
    writer.Append(Counting(bytes, first));
    writer.Commit();
  }

  std::filesystem::path folder_;
};

TEST_F(SafetensorsFiles, WrittenFilesReadBack) {
  Write("a.safetensors", {{"small", Dtype::kU8, {3}},
                          {"b", Dtype::kF32, {2, 2}},
                          {"a", Dtype::kF32, {}},
                          {"empty", Dtype::kI64, {0, 5}}});
  SafetensorsFile file(folder_ / "a.safetensors");
  ASSERT_EQ(file.tensors().size(), 4u);
  // Widest kind first, then by name.
  EXPECT_EQ(file.tensors()[0].name, "empty");
  EXPECT_EQ(file.tensors()[1].name, "a");
  EXPECT_EQ(file.tensors()[3].name, "small");
  EXPECT_EQ(file.header().metadata[0].second, "pt");
  EXPECT_EQ(file.header().data_offset % 8, 0u);
  EXPECT_TRUE(file.header().warnings.empty());
  EXPECT_EQ(file.Bytes(*file.Find("b"))[0], 4);
  EXPECT_EQ(file.Bytes(*file.Find("small"))[2], 22);
  EXPECT_EQ(file.Bytes(*file.Find("empty")).size(), 0u);
  EXPECT_EQ(file.Find("c"), nullptr);
}

TEST_F(SafetensorsFiles, SlicesAreRunsOfTheTensor) {
  Write("a.safetensors", {{"t", Dtype::kU8, {4, 3, 2}}, {"packed", Dtype::kF4, {4, 4}}});
  SafetensorsFile file(folder_ / "a.safetensors");
  const SafetensorsTensor& t = *file.Find("t");
  using Ranges = std::vector<DimRange>;
  EXPECT_EQ(file.Slice(t, Ranges{}), Counting(24));
  EXPECT_EQ(file.Slice(t, Ranges{{1, 2}}), Counting(6, 6));
  EXPECT_EQ(file.Slice(t, Ranges{{1, 3}, {2, 3}}), (std::vector<uint8_t>{10, 11, 16, 17}));
  EXPECT_EQ(file.Slice(t, Ranges{{0, 2}, {}, {1, 2}}), (std::vector<uint8_t>{1, 3, 5, 7, 9, 11}));
  EXPECT_EQ(file.Slice(t, Ranges{{2, 2}}), std::vector<uint8_t>());
  EXPECT_EQ(SliceShape(t, Ranges{{1, 9}, {1, 2}}), (std::vector<uint64_t>{3, 1, 2}));
  EXPECT_THROW(file.Slice(t, Ranges{{}, {}, {}, {}}), Error);
  EXPECT_THROW(file.Slice(t, Ranges{{3, 2}}), Error);
  const SafetensorsTensor& packed = *file.Find("packed");
  EXPECT_EQ(file.Slice(packed, Ranges{{1, 2}, {2, 4}}).size(), 1u);
  EXPECT_THROW(file.Slice(packed, Ranges{{1, 2}, {1, 3}}), Error);

  MappedSource source(folder_ / "a.safetensors");
  SafetensorsReader reader(source);
  EXPECT_EQ(reader.Slice(*reader.header().Find("t"), Ranges{{1, 3}, {2, 3}}),
            file.Slice(t, Ranges{{1, 3}, {2, 3}}));
  std::vector<uint8_t> part(4);
  reader.Read(*reader.header().Find("t"), 20, part);
  EXPECT_EQ(part, Counting(4, 20));
  EXPECT_THROW(reader.Read(*reader.header().Find("t"), 21, part), Error);
}

TEST_F(SafetensorsFiles, UnfinishedAndWrongContentsLeaveNoFile) {
  std::filesystem::path path = folder_ / "a.safetensors";
  {
    SafetensorsWriter writer(path, IfExists::kRefuse, {{"t", Dtype::kU8, {4}}}, {});
    writer.Append(Counting(3));
    EXPECT_THROW(writer.Commit(), Error);
    EXPECT_THROW(writer.Append(Counting(2)), Error);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  using Items = std::vector<SafetensorsItem>;
  EXPECT_THROW(SafetensorsWriter(path, IfExists::kRefuse,
                                 Items{{"t", Dtype::kU8, {}}, {"t", Dtype::kF32, {}}}, {}),
               Error);
  EXPECT_THROW(SafetensorsWriter(path, IfExists::kRefuse, Items{{"t", Dtype::kF4, {3}}}, {}),
               Error);
  EXPECT_THROW(
      SafetensorsWriter(path, IfExists::kRefuse, Items{{"t", Dtype::kF64, {1ull << 62}}}, {}),
      Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(SafetensorsFiles, AnExistingFileIsReplacedOnlyWhenAsked) {
  Write("a.safetensors", {{"t", Dtype::kU8, {1}}});
  EXPECT_THROW(Write("a.safetensors", {{"u", Dtype::kU8, {1}}}), Error);
  SafetensorsWriter writer(folder_ / "a.safetensors", IfExists::kReplace, {}, {});
  writer.Commit();
  EXPECT_TRUE(SafetensorsFile(folder_ / "a.safetensors").tensors().empty());
}

TEST_F(SafetensorsFiles, ShardsAreOneCheckpoint) {
  Write("model-1.safetensors", {{"b", Dtype::kU8, {2}}, {"unlisted", Dtype::kU8, {1}}});
  Write("model-2.safetensors", {{"a", Dtype::kU8, {3}}}, 100);
  std::string index =
      SafetensorsIndexJson({{"b", "model-1.safetensors"}, {"a", "model-2.safetensors"}}, 5);
  WriteFileDurably(folder_ / "model.safetensors.index.json", index);
  ShardedCheckpoint checkpoint = ShardedCheckpoint::Open(folder_);
  ASSERT_EQ(checkpoint.entries().size(), 2u);
  EXPECT_EQ(checkpoint.entries()[0].tensor->name, "a");
  EXPECT_EQ(checkpoint.Bytes(*checkpoint.Find("a"))[0], 100);
  EXPECT_EQ(checkpoint.Find("unlisted"), nullptr);
  EXPECT_EQ(ParseSafetensorsIndex(index).total_size, 5u);

  WriteFileDurably(folder_ / "wrong.safetensors.index.json",
                   R"({"weight_map":{"x":"model-1.safetensors"}})");
  EXPECT_THROW(ShardedCheckpoint::Open(folder_ / "wrong.safetensors.index.json"), Error);
  WriteFileDurably(folder_ / "gone.safetensors.index.json",
                   R"({"weight_map":{"x":"model-9.safetensors"}})");
  EXPECT_THROW(ShardedCheckpoint::Open(folder_ / "gone.safetensors.index.json"), Error);
  EXPECT_THROW(ShardedCheckpoint::Open(folder_ / "none.safetensors"), Error);
}

TEST_F(SafetensorsFiles, EmptyFilesAreNoCheckpoints) {
  WriteFileDurably(folder_ / "empty.safetensors", "");
  EXPECT_THROW(SafetensorsFile(folder_ / "empty.safetensors"), Error);
  EXPECT_THROW(ShardedCheckpoint::Open(folder_ / "sub"), Error);
}

}  // namespace
}  // namespace hearth

#include "hub/inspector/weights/tensor_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "formats/source/source_window.h"

namespace hearth::inspector {
namespace {

const std::string kData = ".cache/testdata/";

FileRecords ScanBytes(std::string bytes, std::string_view path) {
  return ScanTensors(std::make_unique<OwnedSource>(std::move(bytes)), path);
}

const TensorRecord& Named(const FileRecords& records, std::string_view name) {
  auto found = std::find_if(records.tensors.begin(), records.tensors.end(),
                            [&](const TensorRecord& record) { return record.info.name == name; });
  if (found == records.tensors.end()) throw std::runtime_error("no tensor " + std::string(name));
  return *found;
}

TEST(TensorScanTest, MiniLmHasTheDigestsAndTheStatisticsOfItsBytes) {
  std::string bytes = ReadFile(kData + "minilm/model.safetensors");
  FileRecords records = ScanBytes(bytes, "model.safetensors");
  EXPECT_EQ(records.fault, "");
  EXPECT_EQ(records.format, "safetensors");
  EXPECT_EQ(records.tensors.size(), 104u);
  uint64_t tensor_bytes = 0;
  for (const TensorRecord& record : records.tensors) {
    tensor_bytes += record.info.bytes;
    TensorHasher hasher;
    hasher.Update(std::string_view(bytes).substr(record.info.begin, record.info.bytes));
    EXPECT_EQ(record.hash, hasher.Finish()) << record.info.name;
  }
  EXPECT_EQ(tensor_bytes, bytes.size() - records.tensors.front().info.begin);
  const TensorRecord& words = Named(records, "embeddings.word_embeddings.weight");
  EXPECT_EQ(words.info.shape, (std::vector<uint64_t>{30522, 384}));
  ASSERT_TRUE(words.stats);
  EXPECT_EQ(words.stats->values, 30522u * 384);
  EXPECT_GT(words.stats->deviation, 0.01);
  EXPECT_LT(std::abs(words.stats->mean), words.stats->deviation);
  EXPECT_TRUE(words.IsTelling());
}

TEST(TensorScanTest, TablesThatModelsComputeTellNothing) {
  FileRecords records;
  TensorRecord table;
  table.info = {.name = "model.rotary_emb.inv_freq", .elements = 4096, .bytes = 16384};
  table.stats = ValueStats{.values = 4096, .deviation = 1};
  EXPECT_FALSE(table.IsTelling());
  table.info.name = "lm_head.weight";
  EXPECT_TRUE(table.IsTelling());
  table.stats->deviation = 0;  // a norm of ones
  EXPECT_FALSE(table.IsTelling());
  table.stats->deviation = 1;
  table.info.elements = 512;
  EXPECT_FALSE(table.IsTelling());
}

TEST(TensorScanTest, AFileCutAnywhereIsAFaultAndNothingElse) {
  std::string bytes = ReadFile(kData + "minilm/model.safetensors");
  for (size_t size :
       {size_t{0}, size_t{7}, size_t{8}, size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    FileRecords records = ScanBytes(bytes.substr(0, size), "model.safetensors");
    EXPECT_NE(records.fault, "") << size;
    EXPECT_TRUE(records.tensors.empty());
  }
  EXPECT_EQ(ScanBytes(bytes, "model.safetensors").fault, "");
  EXPECT_NE(ScanBytes(bytes, "model.gguf").fault, "");
  EXPECT_NE(ScanBytes(bytes, "model.bin").fault, "");
  std::string vocabulary = ReadFile(kData + "gguf/bert-bge.gguf");
  EXPECT_EQ(ScanBytes(vocabulary, "vocab.gguf").fault, "");
  for (size_t size : {size_t{3}, size_t{30}, vocabulary.size() / 2})
    EXPECT_NE(ScanBytes(vocabulary.substr(0, size), "vocab.gguf").fault, "") << size;
}

TEST(TensorScanTest, RecordsSurviveTheStore) {
  FileRecords records =
      ScanBytes(ReadFile(kData + "minilm/model.safetensors"), "model.safetensors");
  std::string packed = PackRecords(records);
  FileRecords read = UnpackRecords(packed);
  ASSERT_EQ(read.tensors.size(), records.tensors.size());
  for (size_t i = 0; i < read.tensors.size(); ++i) {
    EXPECT_EQ(read.tensors[i].info.name, records.tensors[i].info.name);
    EXPECT_EQ(read.tensors[i].info.shape, records.tensors[i].info.shape);
    EXPECT_EQ(read.tensors[i].hash, records.tensors[i].hash);
    EXPECT_EQ(read.tensors[i].stats, records.tensors[i].stats);
  }
  EXPECT_EQ(PackRecords(read), packed);
  for (size_t size = 0; size < std::min<size_t>(packed.size(), 3000); ++size)
    EXPECT_THROW(UnpackRecords(std::string_view(packed).substr(0, size)), Error) << size;
  EXPECT_THROW(UnpackRecords(packed + "x"), Error);
}

TEST(TensorScanTest, AScanStopsWhenItIsTold) {
  std::atomic<bool> stop{true};
  std::string bytes = ReadFile(kData + "minilm/model.safetensors");
  try {
    ScanTensors(std::make_unique<OwnedSource>(bytes), "model.safetensors", {.stop = &stop});
    FAIL() << "it went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
  }
}

}  // namespace
}  // namespace hearth::inspector

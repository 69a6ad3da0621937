// Hash and statistics in one pass beside the hash alone, on one core: what the index of tensors
// costs. Bytes per second of the file.
#include <benchmark/benchmark.h>

#include <cstring>
#include <random>

#include "base/error.h"
#include "formats/source/source.h"
#include "hub/inspector/weights/tensor_scan.h"
#include "tensor/blocks.h"

namespace hearth::inspector {
namespace {

constexpr uint64_t kRows = 4096;
constexpr uint64_t kColumns = 4096;
constexpr int kTensors = 8;

std::vector<float> Values() {
  std::mt19937 random(1);
  std::normal_distribution<float> draw(0, 0.02f);
  std::vector<float> row(kColumns * 16);
  for (float& value : row) value = draw(random);
  std::vector<float> values(kRows * kColumns);
  for (size_t at = 0; at < values.size(); at += row.size())
    std::memcpy(&values[at], row.data(), row.size() * sizeof(float));
  return values;
}

// A file of one safetensors type, as of a model with large matrices.
const std::string& File(const std::string& dtype, tensor::BlockType type) {
  static std::string name, bytes;
  if (name == dtype) return bytes;
  name = dtype;
  std::vector<float> values = Values();
  std::vector<uint8_t> matrix(tensor::BlockBytes(type, values.size()));
  tensor::Quantize(type, values, matrix);
  std::string header = "{";
  for (int i = 0; i < kTensors; ++i) {
    header += (i > 0 ? "," : "") + std::string("\"t") + std::to_string(i) + "\":{\"dtype\":\"" +
              dtype + "\",\"shape\":[" +
              std::to_string(2 * kRows * (type == tensor::BlockType::kF32 ? 2 : 1)) + "," +
              std::to_string(type == tensor::BlockType::kF32 ? kColumns / 4 : kColumns / 2) +
              "],\"data_offsets\":[" + std::to_string(matrix.size() * i) + "," +
              std::to_string(matrix.size() * (i + 1)) + "]}";
  }
  header += "}";
  uint64_t length = header.size();
  bytes.assign(reinterpret_cast<const char*>(&length), 8);
  bytes += header;
  for (int i = 0; i < kTensors; ++i)
    bytes.append(reinterpret_cast<char*>(matrix.data()), matrix.size());
  return bytes;
}

void Scan(benchmark::State& state, const std::string& dtype, tensor::BlockType type) {
  const std::string& bytes = File(dtype, type);
  for (auto _ : state) {
    FileRecords records = ScanTensors(std::make_unique<MemorySource>(bytes), "a.safetensors");
    if (!records.fault.empty()) return state.SkipWithError(records.fault.c_str());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
}

void HashOnly(benchmark::State& state, const std::string& dtype, tensor::BlockType type) {
  const std::string& bytes = File(dtype, type);
  TensorHasher hasher;
  for (auto _ : state) {
    hasher.Reset();
    for (size_t at = 0; at < bytes.size(); at += 256 << 10)
      hasher.Update(std::string_view(bytes).substr(at, 256 << 10));
    benchmark::DoNotOptimize(hasher.Finish());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
}

void StatsOnly(benchmark::State& state, tensor::BlockType type) {
  std::vector<float> values = Values();
  std::vector<uint8_t> blocks(tensor::BlockBytes(type, values.size()));
  tensor::Quantize(type, values, blocks);
  uint64_t group_bytes = tensor::BlockBytes(type, kStatsGroup);
  std::vector<float> group(kStatsGroup);
  for (auto _ : state) {
    StatsCollector stats;
    for (size_t at = 0; at < blocks.size(); at += group_bytes) {
      tensor::Dequantize(type, std::span(blocks).subspan(at, group_bytes), group);
      stats.Add(group);
    }
    benchmark::DoNotOptimize(stats.Finish());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * blocks.size()));
}

BENCHMARK_CAPTURE(HashOnly, F32, "F32", tensor::BlockType::kF32);
BENCHMARK_CAPTURE(Scan, F32, "F32", tensor::BlockType::kF32);
BENCHMARK_CAPTURE(HashOnly, BF16, "BF16", tensor::BlockType::kBf16);
BENCHMARK_CAPTURE(Scan, BF16, "BF16", tensor::BlockType::kBf16);
BENCHMARK_CAPTURE(Scan, F16, "F16", tensor::BlockType::kF16);
BENCHMARK_CAPTURE(StatsOnly, F32, tensor::BlockType::kF32);
BENCHMARK_CAPTURE(StatsOnly, BF16, tensor::BlockType::kBf16);
BENCHMARK_CAPTURE(StatsOnly, Q8_0, tensor::BlockType::kQ8_0);
BENCHMARK_CAPTURE(StatsOnly, Q4_0, tensor::BlockType::kQ4_0);
BENCHMARK_CAPTURE(StatsOnly, Q4_K, tensor::BlockType::kQ4_K);
BENCHMARK_CAPTURE(StatsOnly, Q6_K, tensor::BlockType::kQ6_K);

}  // namespace
}  // namespace hearth::inspector

// The C++ side of the weights scenario. Each command does its work and its peer's in turn and
// prints one line of JSON per round: {"name": seconds, ...}.
//   load FILE ROUNDS             tensors opened and every page touched; mmap and touch
//   header FILE ROUNDS           tensors opened, nothing touched
//   memory FILE                  resident bytes: after opening, after touching the first tensor
//   dequantize TYPE ROUNDS       blocks to fp32; a copy of as many bytes
//   quantize TYPE ROUNDS [LIB]   fp32 to blocks on one core; ggml_quantize_chunk of a ggml library
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "formats/safetensors/safetensors_file.h"
#include "tensor/blocks.h"

namespace {

using hearth::tensor::BlockType;

constexpr size_t kPageBytes = 4096;
volatile uint64_t sink;  // keeps what is read from being optimised away

template <typename Work>
double Seconds(Work work) {
  auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

uint64_t Touch(std::span<const uint8_t> bytes) {
  uint64_t sum = 0;
  for (size_t at = 0; at < bytes.size(); at += kPageBytes) sum += bytes[at];
  return sum;
}

void LoadOurs(const std::string& path) {
  hearth::SafetensorsFile file(path);
  file.Preload();
  uint64_t sum = 0;
  for (const auto& tensor : file.tensors()) sum += Touch(file.Bytes(tensor));
  sink = sum;
}

void LoadPlainly(const std::string& path) {
  hearth::UniqueFd fd = hearth::OpenForRead(path);
  size_t size = hearth::FileSize(fd.get());
  void* data = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  sink = Touch({static_cast<const uint8_t*>(data), size});
  munmap(data, size);
}

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t all = 0, resident = 0;
  statm >> all >> resident;
  return resident * kPageBytes;
}

void Memory(const std::string& path) {
  uint64_t before = ResidentBytes();
  hearth::SafetensorsFile file(path);
  uint64_t opened = ResidentBytes();
  const auto& tensor = file.tensors().front();
  sink = Touch(file.Bytes(tensor));
  std::printf("{\"opened\": %ld, \"touched\": %ld, \"tensor\": %ld}\n",
              static_cast<long>(opened - before), static_cast<long>(ResidentBytes() - opened),
              static_cast<long>(tensor.bytes()));
}

std::vector<float> Weights(size_t n) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.02f);
  std::vector<float> values(n);
  for (float& value : values) value = normal(random);
  return values;
}

void BenchDequantize(BlockType type, int rounds) {
  constexpr size_t kElements = 32u << 20;
  // Real blocks where they can be made; else bytes that make no subnormal scales.
  std::vector<uint8_t> in(hearth::tensor::BlockBytes(type, kElements), 0x21);
  if (hearth::tensor::CanQuantize(type)) hearth::tensor::Quantize(type, Weights(kElements), in);
  std::vector<float> out(kElements);
  size_t moved = in.size() + kElements * sizeof(float);
  std::vector<uint8_t> from(moved / 2, 1), to(moved / 2);
  for (int round = 0; round <= rounds; ++round) {
    double ours = Seconds([&] { hearth::tensor::Dequantize(type, in, out); });
    double copy = Seconds([&] { std::memcpy(to.data(), from.data(), to.size()); });
    sink = to[round] + static_cast<uint64_t>(out[round]);
    if (round > 0)
      std::printf("{\"hearth\": %.9f, \"copy\": %.9f, \"bytes\": %zu}\n", ours, copy, moved);
  }
}

using QuantizeChunk = size_t (*)(int type, const float*, void*, int64_t start, int64_t rows,
                                 int64_t row_elements, const float* weights);

void BenchQuantize(BlockType type, int rounds, const char* library) {
  constexpr int64_t kRows = 256, kColumns = 4096;
  std::vector<float> in = Weights(kRows * kColumns);
  std::vector<uint8_t> ours(hearth::tensor::BlockBytes(type, in.size())), theirs(ours.size());
  QuantizeChunk chunk = nullptr;
  if (library != nullptr) {
    void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr)
      chunk = reinterpret_cast<QuantizeChunk>(dlsym(handle, "ggml_quantize_chunk"));
    if (chunk == nullptr)
      throw hearth::Error(hearth::Code::kNotFound, "no ggml_quantize_chunk there");
  }
  for (int round = 0; round <= rounds; ++round) {
    double mine = Seconds([&] { hearth::tensor::Quantize(type, in, ours); });
    double peer = 0;
    if (chunk != nullptr) {
      peer = Seconds([&] {
        chunk(static_cast<int>(type), in.data(), theirs.data(), 0, kRows, kColumns, nullptr);
      });
    }
    if (round == 0) continue;
    std::printf("{\"hearth\": %.9f, \"ggml\": %.9f, \"equal\": %s, \"elements\": %zu}\n", mine,
                peer, chunk != nullptr && ours == theirs ? "true" : "false", in.size());
  }
}

BlockType TypeNamed(const std::string& name) {
  const auto* info = hearth::tensor::FindBlockType(name);
  if (info == nullptr) throw hearth::Error(hearth::Code::kInvalidArgument, "unknown type " + name);
  return static_cast<BlockType>(info->id);
}

void Run(const std::vector<std::string>& words) {
  const std::string& what = words.at(0);
  int rounds = words.size() > 2 ? std::stoi(words[2]) : 0;
  if (what == "memory") return Memory(words.at(1));
  if (what == "dequantize") return BenchDequantize(TypeNamed(words.at(1)), rounds);
  if (what == "quantize") {
    return BenchQuantize(TypeNamed(words.at(1)), rounds,
                         words.size() > 3 ? words[3].c_str() : nullptr);
  }
  for (int round = 0; round <= rounds; ++round) {
    double ours = Seconds([&] {
      if (what == "load") {
        LoadOurs(words.at(1));
      } else {
        sink = hearth::SafetensorsFile(words.at(1)).tensors().size();
      }
    });
    double plain = what == "load" ? Seconds([&] { LoadPlainly(words.at(1)); }) : 0;
    if (round > 0) std::printf("{\"hearth\": %.9f, \"mmap\": %.9f}\n", ours, plain);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Run(std::vector<std::string>(argv + 1, argv + argc));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weights_bench: %s\n", error.what());
    return 1;
  }
}

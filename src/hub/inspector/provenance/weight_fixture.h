// For tests: folders with small seeded models, written as safetensors and GGUF.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "hub/inspector/repo_view.h"
#include "tensor/blocks.h"

namespace hearth::inspector {

struct TestTensor {
  std::string name;
  std::vector<uint64_t> shape;
  std::vector<float> values;
};

inline std::vector<float> NormalValues(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> draw(0, 0.05f);
  std::vector<float> values(count);
  for (float& value : values) value = draw(random);
  return values;
}

// A Llama of two layers: width 64, 4 heads, 2 key heads, 96 wide inside, 100 tokens.
inline std::vector<TestTensor> TinyLlama(unsigned seed) {
  std::vector<TestTensor> tensors;
  auto add = [&](const std::string& name, std::vector<uint64_t> shape) {
    uint64_t count = 1;
    for (uint64_t size : shape) count *= size;
    tensors.push_back({name, std::move(shape), NormalValues(count, seed * 1000 + tensors.size())});
  };
  add("model.embed_tokens.weight", {100, 64});
  for (int layer = 0; layer < 2; ++layer) {
    std::string prefix = "model.layers." + std::to_string(layer) + ".";
    add(prefix + "self_attn.q_proj.weight", {64, 64});
    add(prefix + "self_attn.k_proj.weight", {32, 64});
    add(prefix + "self_attn.v_proj.weight", {32, 64});
    add(prefix + "self_attn.o_proj.weight", {64, 64});
    add(prefix + "mlp.gate_proj.weight", {96, 64});
    add(prefix + "mlp.up_proj.weight", {96, 64});
    add(prefix + "mlp.down_proj.weight", {64, 96});
    add(prefix + "input_layernorm.weight", {64});
    add(prefix + "post_attention_layernorm.weight", {64});
  }
  add("model.norm.weight", {64});
  return tensors;
}

inline std::string TinyConfig() {
  return R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 64,
    "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 100, "max_position_embeddings": 128,
    "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "tie_word_embeddings": true})";
}

// fp32 safetensors; or another type of the two that tests want.
inline std::string SafetensorsBytes(const std::vector<TestTensor>& tensors,
                                    tensor::BlockType type = tensor::BlockType::kF32) {
  std::string header = "{", data;
  const char* dtype = type == tensor::BlockType::kF32    ? "F32"
                      : type == tensor::BlockType::kBf16 ? "BF16"
                                                         : "F16";
  for (const TestTensor& tensor : tensors) {
    std::vector<uint8_t> bytes(tensor::BlockBytes(type, tensor.values.size()));
    tensor::Quantize(type, tensor.values, bytes);
    header += (header.size() > 1 ? ",\"" : "\"") + tensor.name + "\":{\"dtype\":\"" + dtype +
              "\",\"shape\":[";
    for (size_t i = 0; i < tensor.shape.size(); ++i)
      header += (i > 0 ? "," : "") + std::to_string(tensor.shape[i]);
    header += "],\"data_offsets\":[" + std::to_string(data.size()) + "," +
              std::to_string(data.size() + bytes.size()) + "]}";
    data.append(reinterpret_cast<char*>(bytes.data()), bytes.size());
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

class WeightFolders : public ::testing::Test {
 protected:
  WeightFolders()
      : root_(std::filesystem::path(::testing::TempDir()) /
              (std::string("weights-") +
               ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(root_);
  }
  ~WeightFolders() override { std::filesystem::remove_all(root_); }

  std::string Folder(const std::string& name) { return (root_ / name).string(); }
  void Write(const std::string& folder, const std::string& path, const std::string& bytes) {
    std::filesystem::create_directories((root_ / folder / path).parent_path());
    std::ofstream(root_ / folder / path, std::ios::binary) << bytes;
  }
  void WriteModel(const std::string& folder, const std::vector<TestTensor>& tensors,
                  tensor::BlockType type = tensor::BlockType::kF32) {
    Write(folder, "config.json", TinyConfig());
    Write(folder, "model.safetensors", SafetensorsBytes(tensors, type));
  }

  std::filesystem::path root_;
};

}  // namespace hearth::inspector

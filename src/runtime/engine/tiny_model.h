// For tests: writes the folder of a small Llama with seeded random weights and a tokenizer of whole
// words ("w0" to "w99"; </s> is 1).
#pragma once

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "formats/safetensors/safetensors_writer.h"

namespace hearth::runtime {

class TinyModel {
 public:
  explicit TinyModel(const std::string& name)
      : folder_(std::filesystem::temp_directory_path() /
                ("hearth_" + name + "_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    Write("config.json", R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"],
      "vocab_size": 102, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
      "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256,
      "rms_norm_eps": 1e-5, "eos_token_id": 1, "tie_word_embeddings": true})");
    std::string vocabulary = R"("<unk>": 0, "</s>": 1)";
    for (int i = 0; i < 100; ++i) {
      vocabulary += ", \"w" + std::to_string(i) + "\": " + std::to_string(i + 2);
    }
    Write("tokenizer.json",
          R"({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [
            {"id": 1, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false,
             "normalized": false, "special": true}],
            "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"},
            "post_processor": null, "decoder": null,
            "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {)" +
              vocabulary + "}}}");
    WriteWeights();
  }
  ~TinyModel() { std::filesystem::remove_all(folder_); }

  const std::filesystem::path& folder() const { return folder_; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }

 private:
  void WriteWeights() const {
    std::vector<SafetensorsItem> items = {
        {"model.embed_tokens.weight", tensor::Dtype::kF32, {102, 64}},
        {"model.norm.weight", tensor::Dtype::kF32, {64}}};
    for (int layer = 0; layer < 2; ++layer) {
      std::string at = "model.layers." + std::to_string(layer) + ".";
      auto add = [&](const std::string& name, std::vector<uint64_t> shape) {
        items.push_back({at + name + ".weight", tensor::Dtype::kF32, std::move(shape)});
      };
      add("self_attn.q_proj", {64, 64}), add("self_attn.k_proj", {32, 64});
      add("self_attn.v_proj", {32, 64}), add("self_attn.o_proj", {64, 64});
      add("mlp.gate_proj", {96, 64}), add("mlp.up_proj", {96, 64}), add("mlp.down_proj", {64, 96});
      add("input_layernorm", {64}), add("post_attention_layernorm", {64});
    }
    SafetensorsWriter writer(folder_ / "model.safetensors", IfExists::kReplace, items, {});
    std::mt19937 random(11);
    std::normal_distribution<float> normal(0, 0.25f);
    for (const SafetensorsItem& item : writer.items()) {
      std::vector<uint8_t> bytes(SafetensorsBytes(item));
      for (size_t at = 0; at < bytes.size(); at += sizeof(float)) {
        float value = item.shape.size() == 1 ? 1 + normal(random) : normal(random);
        std::memcpy(&bytes[at], &value, sizeof value);
      }
      writer.Append(bytes);
    }
    writer.Commit();
  }

  std::filesystem::path folder_;
};

}  // namespace hearth::runtime

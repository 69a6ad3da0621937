#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inference/snapshot.h"

namespace hearth::inference {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ChooseModelFiles, TakesWhatASentenceModelNeeds) {
  EXPECT_THAT(
      ChooseModelFiles({".gitattributes",
                        "1_Pooling/config.json",
                        "1_Pooling/notes.md",
                        "2_Dense/config.json",
                        "2_Dense/model.safetensors",
                        "README.md",
                        "config.json",
                        "config_sentence_transformers.json",
                        "model.safetensors",
                        "modules.json",
                        "onnx/model.onnx",
                        "onnx/config.json",
                        "openvino/model.bin",
                        "pytorch_model.bin",
                        "sentence_bert_config.json",
                        "special_tokens_map.json",
                        "tokenizer.json",
                        "tokenizer_config.json",
                        "train_script.py",
                        "vocab.txt"}),
      ElementsAre("1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors",
                  "config.json", "config_sentence_transformers.json", "model.safetensors",
                  "modules.json", "sentence_bert_config.json", "special_tokens_map.json",
                  "tokenizer.json", "tokenizer_config.json", "vocab.txt"));
}

TEST(ChooseModelFiles, OneKindOfWeights) {
  EXPECT_THAT(ChooseModelFiles({"model-00001-of-00002.safetensors",
                                "model-00002-of-00002.safetensors", "model.safetensors.index.json",
                                "pytorch_model-00001-of-00001.bin", "x.gguf"}),
              ElementsAre("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                          "model.safetensors.index.json"));
  EXPECT_THAT(ChooseModelFiles({"pytorch_model.bin", "training_args.bin", "x.gguf"}),
              ElementsAre("pytorch_model.bin"));
  EXPECT_THAT(ChooseModelFiles({"README.md", "data.csv", "sub/model.safetensors"}), IsEmpty());
}

TEST(ChooseModelFiles, OneOfSeveralGgufFilesWithAllItsParts) {
  EXPECT_THAT(ChooseModelFiles({"m-F16.gguf", "m-Q2_K.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf",
                                "mmproj-m-f16.gguf"}),
              ElementsAre("m-Q4_K_M.gguf"));
  EXPECT_THAT(
      ChooseModelFiles({"m-q8_0-00001-of-00002.gguf", "m-q8_0-00002-of-00002.gguf", "m-f16.gguf"}),
      ElementsAre("m-q8_0-00001-of-00002.gguf", "m-q8_0-00002-of-00002.gguf"));
  EXPECT_THAT(ChooseModelFiles({"-of-.gguf", ".gguf", "a-of-b.gguf"}), ElementsAre("-of-.gguf"));
}

}  // namespace
}  // namespace hearth::inference

#include "hub/inspector/fit/runtimes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace hearth::inspector {
namespace {

namespace fs = std::filesystem;

class RuntimesTest : public ::testing::Test {
 protected:
  RuntimesTest()
      : folder_(fs::path(::testing::TempDir()) /
                (std::string("runtimes-") +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~RuntimesTest() override { fs::remove_all(folder_); }
  void Write(const std::string& path, const std::string& text) {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path, std::ios::binary) << text;
  }
  /// A safetensors file of one tensor of two values.
  void WriteWeights() {
    const std::string header = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  )";
    Write("model.safetensors", std::string(1, static_cast<char>(header.size())) +
                                   std::string(7, '\0') + header + std::string(8, '\0'));
  }
  RuntimeReport Find() { return FindRuntimes(*OpenFolder(folder_.string())); }

  fs::path folder_;
};

std::vector<std::string> Forms(const RuntimeReport& report) {
  std::vector<std::string> forms;
  for (const FormFound& form : report.forms) forms.emplace_back(FormName(form.form));
  std::sort(forms.begin(), forms.end());
  return forms;
}

const RuntimeFound* Runtime(const RuntimeReport& report, const std::string& name) {
  for (const RuntimeFound& runtime : report.runtimes)
    if (runtime.name == name) return &runtime;
  return nullptr;
}

TEST_F(RuntimesTest, MiniLmRunsWhereSafetensorsRun) {
  OwnVerdict own{.known = true, .runs = true, .tasks = {"sentence-similarity"}, .reason = ""};
  RuntimeReport report = FindRuntimes(*OpenFolder(".cache/testdata/minilm"), own);
  EXPECT_EQ(Forms(report), (std::vector<std::string>{"safetensors", "sentence-transformers"}));
  EXPECT_EQ(Runtime(report, "Transformers")->verdict, RunsVerdict::kRuns);
  EXPECT_EQ(Runtime(report, "llama.cpp")->verdict, RunsVerdict::kAfterConversion);
  for (const AssetFound& asset : report.assets) {
    if (asset.required) EXPECT_EQ(asset.finding.level, Level::kProved) << asset.name;
    if (asset.name == "config") EXPECT_EQ(asset.finding.value, Json("config.json"));
  }
  EXPECT_EQ(*ToJson(report).Find("hearth")->Find("runs"), Json(true));
}

TEST_F(RuntimesTest, CopyingWeightsAloneLeavesTheirAssetsBehind) {
  WriteWeights();
  Write("config.json", R"({"model_type": "bert"})");
  RuntimeReport report = Find();
  EXPECT_EQ(Runtime(report, "Transformers")->missing, (std::vector<std::string>{"tokenizer"}));
}

TEST_F(RuntimesTest, AGgufFileCarriesItsTokenizer) {
  fs::copy_file(".cache/testdata/gguf/llama-bpe.gguf", folder_ / "model.gguf");
  RuntimeReport report = Find();
  EXPECT_EQ(Forms(report), (std::vector<std::string>{"gguf"}));
  EXPECT_EQ(Runtime(report, "llama.cpp")->verdict, RunsVerdict::kRuns);
  EXPECT_TRUE(Runtime(report, "llama.cpp")->missing.empty());
  EXPECT_EQ(Runtime(report, "Text Embeddings Inference")->verdict, RunsVerdict::kNever);
}

TEST_F(RuntimesTest, CodeInTheRepositoryIsSaid) {
  WriteWeights();
  Write("config.json", R"({"model_type": "odd", "auto_map": {"AutoModel": "odd.Model"}})");
  Write("odd.py", "");
  RuntimeReport report = Find();
  EXPECT_EQ(Runtime(report, "Transformers")->verdict, RunsVerdict::kWithPlugin);
}

TEST_F(RuntimesTest, QuantisedAndOpenVinoWeightsAreNotMistaken) {
  WriteWeights();
  Write("config.json",
        R"({"model_type": "llama", "quantization_config": {"quant_method": "gptq"}})");
  Write("openvino/openvino_model.xml", "<net/>");
  Write("openvino/openvino_model.bin", "weights");
  EXPECT_EQ(Forms(Find()), (std::vector<std::string>{"openvino", "quantized"}));
  EXPECT_EQ(Runtime(Find(), "llama.cpp")->verdict, RunsVerdict::kNever);
}

TEST_F(RuntimesTest, NothingIsSaidOfNothing) {
  Write("README.md", "# only words");
  Write("config.json", "no json");
  RuntimeReport report = Find();
  EXPECT_TRUE(report.forms.empty());
  EXPECT_TRUE(report.runtimes.empty());
  EXPECT_FALSE(RuntimesText(report).empty());
}

}  // namespace
}  // namespace hearth::inspector

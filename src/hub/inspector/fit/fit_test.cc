#include "hub/inspector/fit/fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace hearth::inspector {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kMib = 1u << 20;
constexpr uint64_t kGib = 1u << 30;

Json Llama8b() {
  return Json::Parse(R"({"model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "vocab_size": 128256, "max_position_embeddings": 131072})");
}

uint64_t Kv(const ModelShape& shape, uint64_t context, const char* cache = "f16",
            EngineKind engine = EngineKind::kLlamaCpp) {
  return KvBytes(shape, {.context = context, .cache = *FindCacheType(cache), .engine = engine});
}

TEST(KvBytesTest, GroupedHeadsCountAndHeadsDoNot) {
  ModelShape shape = ShapeFromConfig(Llama8b());
  EXPECT_TRUE(shape.missing.empty());
  EXPECT_EQ(Kv(shape, 8192), 1 * kGib);
  EXPECT_EQ(Kv(shape, 8192, "q8_0"), kGib / 2 / 16 * 17);
  EXPECT_EQ(Kv(shape, 8192, "q4_0"), kGib / 4 / 8 * 9);
  Json smol = Json::Parse(R"({"model_type": "llama", "hidden_size": 576, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3})");
  EXPECT_EQ(Kv(ShapeFromConfig(smol), 8192), 180 * kMib);
}

TEST(KvBytesTest, WindowsLatentsAndStatesAreCountedAsWhatTheyAre) {
  // Gemma 3: five of six layers look back 512 tokens.
  Json gemma = Json::Parse(R"({"model_type": "gemma3_text", "hidden_size": 640,
    "num_hidden_layers": 18, "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256,
    "sliding_window": 512})");
  uint64_t row = 2 * 256 * 2;
  EXPECT_EQ(Kv(ShapeFromConfig(gemma), 4096), row * (3 * 4096 + 15 * 512));
  // This program's engine keeps all tokens of all layers.
  EXPECT_EQ(Kv(ShapeFromConfig(gemma), 4096, "f16", EngineKind::kHearth), row * 18 * 4096);
  // DeepSeek V3: one compressed row of 512 + 64 for all heads.
  Json deepseek = Json::Parse(R"({"model_type": "deepseek_v3", "hidden_size": 7168,
    "num_hidden_layers": 61, "num_attention_heads": 128, "num_key_value_heads": 128,
    "kv_lora_rank": 512, "qk_rope_head_dim": 64, "n_routed_experts": 256,
    "num_experts_per_tok": 8})");
  EXPECT_EQ(Kv(ShapeFromConfig(deepseek), 1000), 61u * 1000 * 576 * 2);
  Json mamba = Json::Parse(R"({"model_type": "mamba", "hidden_size": 768, "num_hidden_layers": 24,
    "state_size": 16, "conv_kernel": 4, "expand": 2})");
  ModelShape state = ShapeFromConfig(mamba);
  EXPECT_TRUE(state.missing.empty());
  EXPECT_EQ(Kv(state, 100'000), 0u);
  EXPECT_EQ(state.state_bytes, 1536u * (16 + 4) * 4);
  Json list = Json::Parse(R"({"model_type": "qwen3_next", "hidden_size": 64, "num_hidden_layers": 4,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "linear_num_value_heads": 4,
    "linear_key_head_dim": 8, "linear_value_head_dim": 8,
    "layer_types": ["linear_attention", "linear_attention", "linear_attention", "full_attention"]})");
  EXPECT_EQ(Kv(ShapeFromConfig(list), 10), 10u * 2 * 2 * 16 * 2);
}

TEST(KvBytesTest, EncodersKeepNothing) {
  Json bert = Json::Parse(R"({"model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6,
    "num_attention_heads": 12, "vocab_size": 30522})");
  EXPECT_EQ(Kv(ShapeFromConfig(bert), 512), 0u);
}

TEST(ShapeTest, WhatIsNotSaidIsMissingAndHostileNumbersAreNoShape) {
  EXPECT_FALSE(ShapeFromConfig(Json::Obj()).missing.empty());
  Json hostile = Json::Parse(R"({"model_type": "llama", "hidden_size": 18446744073709551615,
    "num_hidden_layers": 1000000000, "num_attention_heads": 0})");
  ModelShape shape = ShapeFromConfig(hostile);
  EXPECT_FALSE(shape.missing.empty());
  EXPECT_LE(shape.memory.size(), 10'000u);
  EXPECT_FALSE(ShapeFromGguf({{"general.architecture", "llama"}}, "a.gguf").missing.empty());
}

TEST(DeviceTest, DevicesAreReadAsPeopleWriteThem) {
  EXPECT_GE(KnownDevices().size(), 200u);
  EXPECT_EQ(ParseDevice("RTX 4090").memory_bytes, 24 * kGib);
  EXPECT_EQ(ParseDevice("nvidia rtx 4090").bandwidth_gbs, 1008);
  Device own = ParseDevice("my box:24GiB:400");
  EXPECT_EQ(own.name, "my box");
  EXPECT_EQ(own.memory_bytes, 24 * kGib);
  EXPECT_EQ(own.bandwidth_gbs, 400);
  EXPECT_EQ(ParseDevice("ram:16GB").kind, DeviceKind::kCpu);
  for (const char* text : {"", ":", "x", "x:", "x:GiB", "x:-1GiB", "x:nanGiB", "x:1e300GiB",
                           "x:24GiB:", "x:24GiB:0", "x:24", "x:24GiB:1:gpu:1", "x:24GiB:abacus"})
    EXPECT_THROW(ParseDevice(text), Error) << text;
  std::optional<Device> node = ProbeNode();
  ASSERT_TRUE(node);
  EXPECT_GT(node->memory_bytes, 100 * kMib);
}

TEST(DeviceTest, ASpecSaysTheSameDevice) {
  for (const char* text :
       {"M3 Max 64GB", "my box:24GiB:400", "box:24GB", "ram:16GB", "ram:16GB:gpu",
        "laptop:32GiB:unified", "laptop:32GiB:102.4:cpu", "RTX 4090:48GiB"}) {
    Device device = ParseDevice(text);
    Device again = ParseDevice(DeviceSpec(device));
    EXPECT_EQ(again.name, device.name) << text;
    EXPECT_EQ(again.kind, device.kind) << text;
    EXPECT_EQ(again.memory_bytes, device.memory_bytes) << text;
    EXPECT_EQ(again.bandwidth_gbs, device.bandwidth_gbs) << text;
    EXPECT_EQ(again.maker, device.maker) << text;
  }
  Device odd = ParseDevice("odd:24GiB");
  odd.memory_bytes = 25'769'803'777;  // no whole number of MiB
  EXPECT_EQ(ParseDevice(DeviceSpec(odd)).memory_bytes, odd.memory_bytes);
  EXPECT_EQ(DeviceSpec(ParseDevice("rtx 4090")), "RTX 4090");
}

TEST(FitTest, MiniLmIsCountedToTheByte) {
  std::unique_ptr<RepoView> view = OpenFolder(".cache/testdata/minilm");
  FitRequest request;
  request.devices = {ParseDevice("RTX 4090"), ParseDevice("tiny:64MiB")};
  FitReport report = ComputeFit(*view, request);
  EXPECT_EQ(report.reason, "");
  EXPECT_EQ(report.context, 512u);  // what the model can do
  ASSERT_EQ(report.choices.size(), 1u);
  const RepoFile* file = view->Find("model.safetensors");
  EXPECT_LT(file->size_bytes - report.choices[0].headers.tensor_bytes, 20'000u);
  EXPECT_EQ(report.here.kv, 0u);
  EXPECT_EQ(report.devices[0].verdict, FitVerdict::kFits);
  EXPECT_EQ(report.devices[1].verdict, FitVerdict::kNo);
  EXPECT_EQ(report.devices[1].longest_context, 0u);
  Json json = ToJson(report);
  EXPECT_EQ(*json.Find("weights")->AsArray()->at(0).Find("bytes")->Find("level"), Json("proved"));
}

class QuantsTest : public ::testing::Test {
 protected:
  QuantsTest()
      : folder_(fs::path(::testing::TempDir()) /
                (std::string("fit-") +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    std::ofstream(folder_ / "config.json") << Llama8b().Dump();
  }
  ~QuantsTest() override { fs::remove_all(folder_); }

  // A header that speaks of `bytes` of weights, with a hole in the place of the data.
  void AddWeights(const std::string& name, uint64_t bytes) {
    std::string header = R"({"a.weight":{"dtype":"U8","shape":[)" + std::to_string(bytes) +
                         R"(],"data_offsets":[0,)" + std::to_string(bytes) + "]}}";
    uint64_t length = header.size();
    std::ofstream file(folder_ / name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), 8);
    file << header;
    file.close();
    fs::resize_file(folder_ / name, 8 + header.size() + bytes);
  }
  DeviceFit On(const char* device, uint64_t context = 8192) {
    FitRequest request{
        .context = context, .sequences = 1, .file = "", .devices = {ParseDevice(device)}};
    return ComputeFit(*OpenFolder(folder_.string()), request).devices.at(0);
  }

  fs::path folder_;
};

TEST_F(QuantsTest, VerdictsFollowTheMemory) {
  AddWeights("model.safetensors", 16 * kGib);
  EXPECT_EQ(On("RTX 4090").verdict, FitVerdict::kFits);
  EXPECT_EQ(On("card:19GiB").verdict, FitVerdict::kTight);
  DeviceFit partial = On("RTX 3060 12GB");
  EXPECT_EQ(partial.verdict, FitVerdict::kPartial);
  EXPECT_GT(partial.layers_on_device, 15u);
  EXPECT_LT(partial.layers_on_device, 24u);
  EXPECT_EQ(On("card:256MiB").verdict, FitVerdict::kNo);
  EXPECT_EQ(On("ram:16GiB").verdict, FitVerdict::kNo);  // nothing is left of a layer elsewhere
}

TEST_F(QuantsTest, TheLongestContextFitsAndOneTokenMoreDoesNot) {
  AddWeights("model.safetensors", 16 * kGib);
  uint64_t longest = On("RTX 4090").longest_context;
  ASSERT_GT(longest, 8192u);
  ASSERT_LT(longest, 131072u);
  EXPECT_NE(On("RTX 4090", longest).verdict, FitVerdict::kPartial);
  EXPECT_EQ(On("RTX 4090", longest + 1).verdict, FitVerdict::kPartial);
}

TEST_F(QuantsTest, TheMostPreciseWeightsThatFitAreNamed) {
  AddWeights("model.safetensors", 32 * kGib);
  fs::create_directories(folder_ / "q8");
  AddWeights("q8/model.safetensors", 9 * kGib);
  fs::create_directories(folder_ / "q4");
  AddWeights("q4/model.safetensors", 5 * kGib);
  EXPECT_EQ(On("RTX 3060 12GB").best_set, "q8/model.safetensors");
  EXPECT_EQ(On("card:8GiB").best_set, "q4/model.safetensors");
  EXPECT_EQ(On("card:2GiB").best_set, "");
}

TEST_F(QuantsTest, WhatIsMissingOrBrokenPromisesNothing) {
  EXPECT_NE(ComputeFit(*OpenFolder(folder_.string()), {}).reason, "");
  std::ofstream(folder_ / "model-00001-of-00002.safetensors") << "short";
  FitRequest request;
  request.devices = {ParseDevice("RTX 4090")};
  FitReport report = ComputeFit(*OpenFolder(folder_.string()), request);
  EXPECT_NE(report.reason, "");
  EXPECT_TRUE(report.devices.empty());
  request.file = "absent.gguf";
  EXPECT_THROW(ComputeFit(*OpenFolder(folder_.string()), request), Error);
  request.file = "";
  request.sequences = 0;
  EXPECT_THROW(ComputeFit(*OpenFolder(folder_.string()), request), Error);
}

}  // namespace
}  // namespace hearth::inspector

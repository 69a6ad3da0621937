// A model with a cache folder answers as one without, whatever happens to its files and to the
// folder.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/tiny_model.h"

namespace hearth::runtime {
namespace {

namespace fs = std::filesystem;

class ModelCacheTest : public ::testing::Test {
 protected:
  ModelCacheTest() : cache_(files_.folder() / "cache") {}

  LoadOptions Options() const {
    LoadOptions options;
    options.precision = tensor::Precision::kInt8;
    options.cache_folder = cache_;
    options.settled = std::chrono::nanoseconds(0);
    return options;
  }

  // The ids and scores of an answer.
  static std::vector<std::pair<uint32_t, float>> Answer(const LoadOptions& options,
                                                        const fs::path& folder,
                                                        bool* from_store = nullptr) {
    auto model = Model::Load(folder, options);
    if (from_store != nullptr) *from_store = model->Program(Head::kCausalLm)->is_from_store();
    EngineOptions engine_options;
    engine_options.threads = 2;
    engine_options.kv_bytes = 1 << 20;
    Engine engine(model, engine_options);
    GenerationRequest request;
    request.prompt = model->tokenizer().EncodeIds("w3 w14 w15 w92");
    request.config.max_new_tokens = 12;
    request.config.min_new_tokens = 12;
    request.logprobs = true;
    std::vector<std::pair<uint32_t, float>> answer;
    engine.Generate(std::move(request), [&](const GenerationEvent& event) {
      if (event.token) answer.emplace_back(event.token->id, event.token->logprob);
      return true;
    });
    return answer;
  }

  std::vector<std::pair<uint32_t, float>> Answer(bool* from_store) const {
    return Answer(Options(), files_.folder(), from_store);
  }
  std::vector<std::pair<uint32_t, float>> Plain() const {
    LoadOptions options = Options();
    options.cache_folder.clear();
    return Answer(options, files_.folder());
  }

  TinyModel files_{"model_cache"};
  fs::path cache_;
};

TEST_F(ModelCacheTest, TheSecondStartTakesWhatTheFirstPackedAndAnswersTheSame) {
  const auto expected = Plain();
  ASSERT_EQ(expected.size(), 12u);
  bool from_store = true;
  EXPECT_EQ(Answer(&from_store), expected);
  EXPECT_FALSE(from_store);
  EXPECT_EQ(Answer(&from_store), expected);
  EXPECT_TRUE(from_store);
  EXPECT_FALSE(fs::is_empty(cache_ / "tokenizers"));
}

TEST_F(ModelCacheTest, ChangedWeightsAreNoticed) {
  bool from_store = true;
  const auto before = Answer(&from_store);
  // One value, past what is read of the header; the size stays.
  const fs::path weights = files_.folder() / "model.safetensors";
  std::string bytes = ReadFile(weights);
  for (size_t at = bytes.size() - 4096; at < bytes.size(); at += 4) bytes[at + 3] ^= 0x80;
  std::ofstream(weights, std::ios::binary | std::ios::in) << bytes;
  EXPECT_NE(Answer(&from_store), before);
  EXPECT_FALSE(from_store);
  const auto expected = Plain();
  EXPECT_EQ(Answer(&from_store), expected);
  EXPECT_TRUE(from_store);
}

TEST_F(ModelCacheTest, AChangedConfigurationIsAnotherModel) {
  bool from_store = true;
  Answer(&from_store);
  std::string config = ReadFile(files_.folder() / "config.json");
  config.replace(config.find("1e-5"), 4, "1e-2");
  files_.Write("config.json", config);
  const auto expected = Plain();
  EXPECT_EQ(Answer(&from_store), expected);
  EXPECT_FALSE(from_store);
}

TEST_F(ModelCacheTest, FilesThatWereJustWrittenAreNotKept) {
  LoadOptions options = Options();
  options.settled = std::chrono::hours(1);
  for (int i = 0; i < 2; ++i) {
    bool from_store = true;
    Answer(options, files_.folder(), &from_store);
    EXPECT_FALSE(from_store);
  }
  EXPECT_FALSE(fs::exists(cache_ / "packed"));
}

TEST_F(ModelCacheTest, AFolderThatCannotBeMadeIsNoFault) {
  std::ofstream(cache_) << "a file";
  const auto expected = Plain();
  bool from_store = true;
  EXPECT_EQ(Answer(&from_store), expected);
  EXPECT_EQ(Answer(&from_store), expected);
  EXPECT_FALSE(from_store);
}

}  // namespace
}  // namespace hearth::runtime

#include "runtime/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/error.h"
#include "runtime/engine/tiny_model.h"
#include "runtime/runner.h"

namespace hearth::runtime {
namespace {

std::string Words(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "w" + std::to_string(i * 37 % 100) + " ";
  return text;
}

std::shared_ptr<const Model> Load(const TinyModel& tiny, const char* precision) {
  LoadOptions options;
  options.precision = ParsePrecision(precision);
  return Model::Load(tiny.folder(), options);
}

PerplexityOptions Windows(uint32_t context) {
  PerplexityOptions options;
  options.context = context;
  options.threads = 1;
  options.kv_type = tensor::KvType::kF32;
  return options;
}

TEST(Perplexity, IsWhatTheEngineSaysOfTheTokens) {
  TinyModel tiny("perplexity_engine");
  auto model = Load(tiny, "fp32");
  const std::string text = Words(40);
  const Prediction found = Judge(*model, nullptr, text, Windows(40));
  EXPECT_EQ(found.windows, 1u);
  EXPECT_EQ(found.tokens, 19u);  // behind the 21st of 40
  EngineOptions options;
  options.threads = 1;
  options.kv_type = tensor::KvType::kF32;
  Engine engine(model, options);
  GenerationRequest request;
  request.prompt = model->tokenizer().EncodeIds(text, false);
  request.prompt_logprobs = true;
  request.config.max_new_tokens = 1;
  double surprise = 0;
  engine.Generate(std::move(request), [&](const GenerationEvent& event) {
    for (size_t i = 21; i < event.prompt.size(); ++i) surprise -= event.prompt[i].logprob;
    return true;
  });
  EXPECT_NEAR(found.surprise, surprise, 1e-3);
  EXPECT_NEAR(found.perplexity(), std::exp(surprise / 19), 1e-3);
  EXPECT_NEAR(found.bits_per_byte(),
              surprise / 19 / std::log(2.0) * 40 / static_cast<double>(text.size()), 1e-4);
}

TEST(Perplexity, ReadsWindowAfterWindow) {
  TinyModel tiny("perplexity_windows");
  auto model = Load(tiny, "fp32");
  std::vector<uint64_t> heard;
  const Prediction all =
      Judge(*model, nullptr, Words(50), Windows(16), [&](uint64_t done, uint64_t total) {
        heard.push_back(done);
        EXPECT_EQ(total, 3u);
      });
  EXPECT_EQ(heard, (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(all.tokens, 3u * 7);
  PerplexityOptions few = Windows(16);
  few.max_windows = 1;
  EXPECT_EQ(Judge(*model, nullptr, Words(50), few).windows, 1u);
  // No more than the model takes, and than there is.
  EXPECT_EQ(Judge(*model, nullptr, Words(300), Windows(4096)).context, 256u);
  EXPECT_EQ(Judge(*model, nullptr, Words(30), Windows(4096)).context, 30u);
}

TEST(Perplexity, TellsHowFarAnotherFormIs) {
  TinyModel tiny("perplexity_forms");
  auto exact = Load(tiny, "fp32"), rounded = Load(tiny, "int8");
  const Prediction same = Judge(*exact, exact.get(), Words(64), Windows(32));
  EXPECT_EQ(same.divergence, 0);
  EXPECT_EQ(same.same_best, same.tokens);
  EXPECT_EQ(same.reference_perplexity(), same.perplexity());
  const Prediction other = Judge(*rounded, exact.get(), Words(64), Windows(32));
  EXPECT_GT(other.divergence, 0);
  EXPECT_LT(other.divergence / static_cast<double>(other.tokens), 0.02);
  EXPECT_EQ(other.reference_perplexity(), same.perplexity());
}

TEST(Perplexity, SaysWhatItCannotJudge) {
  TinyModel tiny("perplexity_faults");
  auto model = Load(tiny, "fp32");
  try {
    Judge(*model, nullptr, "w1 w2", Windows(16));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnprocessable);
  }
}

}  // namespace
}  // namespace hearth::runtime

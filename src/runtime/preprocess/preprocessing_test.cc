// preprocessor_config.json: what it says is done, what it may not say is refused. The arithmetic is
// compared with transformers in tests/parity/test_media_tasks.py.
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "runtime/preprocess/image_preprocessing.h"
#include "runtime/preprocess/sound_preprocessing.h"

namespace hearth::runtime {
namespace {

media::Image Picture(uint32_t width, uint32_t height) {
  media::Image picture{width, height, {}};
  for (uint32_t i = 0; i < width * height * 3; ++i) picture.rgb.push_back(static_cast<uint8_t>(i));
  return picture;
}

ImagePreprocessing Parse(std::string_view text, std::string_view type = "vit") {
  return ImagePreprocessing::Parse(Json::Parse(text), type);
}

TEST(ImagePreprocessingTest, ColoursBecomePlanes) {
  ImagePreprocessing made = Parse(
      R"({"do_resize": false, "rescale_factor": 0.5, "image_mean": [0, 1, 2], "image_std": 2})");
  EXPECT_FALSE(made.result());
  std::vector<float> values = made.Apply(Picture(2, 1));
  EXPECT_EQ(values, (std::vector<float>{0, 0.75f, -0.25f, 0.5f, -0.5f, 0.25f}));
}

TEST(ImagePreprocessingTest, AnEmptyFileMeansTheUsualSizes) {
  EXPECT_EQ(Parse("{}").result()->height, 224u);
  EXPECT_FALSE(Parse("{}").crop);
  EXPECT_EQ(Parse("{}", "deit").resize->width, 256u);
  EXPECT_EQ(Parse("{}", "deit").result()->width, 224u);
  EXPECT_EQ(Parse(R"({"size": 384})").result()->width, 384u);
  EXPECT_EQ(Parse(R"({"size": [10, 20]})").result()->width, 20u);
  EXPECT_EQ(Parse(R"({"do_resize": null})").result()->width, 224u);
}

TEST(ImagePreprocessingTest, TheShorterSideDecides) {
  ImagePreprocessing made = Parse(R"({"size": {"shortest_edge": 10}})");
  EXPECT_FALSE(made.result());
  EXPECT_EQ(made.Apply(Picture(20, 31)).size(), 3u * 10 * 15);
  EXPECT_EQ(made.Apply(Picture(31, 20)).size(), 3u * 15 * 10);
  EXPECT_THROW(Parse(R"({"size": {"shortest_edge": 9000}})").Apply(Picture(30000, 1)), Error);
}

TEST(ImagePreprocessingTest, WhatMakesNoSenseIsRefused) {
  for (const char* text : {"[]",
                           "7",
                           R"({"size": 0})",
                           R"({"size": -1})",
                           R"({"size": 1e9})",
                           R"({"size": "big"})",
                           R"({"size": {"height": 5}})",
                           R"({"size": {"height": 5, "width": 99999999}})",
                           R"({"size": {"shortest_edge": 5, "longest_edge": 7}})",
                           R"({"size": {"max_height": 5}})",
                           R"({"size": [1, 2, 3]})",
                           R"({"resample": 6})",
                           R"({"resample": "bilinear"})",
                           R"({"do_resize": 1})",
                           R"({"do_center_crop": true, "crop_size": {}})",
                           R"({"rescale_factor": "x"})",
                           R"({"rescale_factor": 1e300})",
                           R"({"rescale_factor": 0})",
                           R"({"image_mean": [1, 2]})",
                           R"({"image_mean": ["a", 1, 2]})",
                           R"({"image_mean": 1e300})",
                           R"({"image_std": [1, 1, 0]})",
                           R"({"image_std": {}})"}) {
    EXPECT_THROW(Parse(text), Error) << text;
  }
}

media::Sound Tone(uint32_t rate, size_t samples) {
  media::Sound sound{rate, {}};
  for (size_t i = 0; i < samples; ++i) {
    sound.samples.push_back(static_cast<float>(i * 440 % rate) / static_cast<float>(rate) - 0.5f);
  }
  return sound;
}

TEST(SoundPreprocessingTest, EverySoundGivesAsManyFrames) {
  SoundPreprocessing made = SoundPreprocessing::Parse(
      Json::Parse(R"({"num_mel_bins": 20, "max_length": 30, "mean": -4, "std": 2})"));
  for (size_t samples : {0, 1, 399, 400, 5040, 5041, 200000}) {
    std::vector<float> values = made.Apply(Tone(16000, samples));
    ASSERT_EQ(values.size(), 600u);
    // Frames that are missing are zeros before the mean goes.
    if (samples < 4000) EXPECT_EQ(values.back(), 1);
  }
  EXPECT_EQ(made.Apply(Tone(44100, 100000)).size(), 600u);
  EXPECT_EQ(made.Apply(Tone(8000, 3000)).size(), 600u);
}

TEST(SoundPreprocessingTest, WhatComesLaterIsNotSeen) {
  SoundPreprocessing made = SoundPreprocessing::Parse(Json::Parse(R"({"max_length": 10})"));
  for (uint32_t rate : {16000u, 22050u}) {
    EXPECT_EQ(made.Apply(Tone(rate, 5 * rate)), made.Apply(Tone(rate, 50 * rate))) << rate;
  }
}

TEST(SoundPreprocessingTest, WhatMakesNoSenseIsRefused) {
  for (const char* text :
       {"[]", R"({"sampling_rate": 0})", R"({"sampling_rate": 999})", R"({"sampling_rate": 1e9})",
        R"({"num_mel_bins": 0})", R"({"num_mel_bins": 100000})", R"({"max_length": 0})",
        R"({"max_length": 10000000})", R"({"std": 0})", R"({"mean": "x"})", R"({"mean": 1e300})",
        R"({"do_normalize": 1})"}) {
    EXPECT_THROW(SoundPreprocessing::Parse(Json::Parse(text)), Error) << text;
  }
}

}  // namespace
}  // namespace hearth::runtime

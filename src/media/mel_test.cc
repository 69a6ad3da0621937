#include "media/mel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "media/internal/test_media.h"

namespace hearth::media {
namespace {

// Equality with the reference is proved by the parity tests; here is what anybody can check by
// hand.
TEST(FilterBank, ATonesEnergyLiesInItsBin) {
  const FilterBankOptions options{.mel_bins = 64};
  std::vector<float> bank = KaldiFilterBank(Tone(1000, 16000, 16000), options);
  ASSERT_EQ(bank.size(), FilterBankFrames(16000, options) * 64);
  EXPECT_EQ(FilterBankFrames(16000, options), 98u);
  // Mel of 1000 Hz between those of 20 and 8000 Hz, in 65 steps.
  auto mel = [](double hertz) { return 1127 * std::log(1 + hertz / 700); };
  const double place = (mel(1000) - mel(20)) / (mel(8000) - mel(20)) * 65 - 1;
  auto row = bank.begin() + 64 * 40;
  EXPECT_NEAR(static_cast<double>(std::max_element(row, row + 64) - row), place, 1);
}

TEST(FilterBank, SilenceIsTheFloor) {
  std::vector<float> bank = KaldiFilterBank(std::vector<float>(800), {});
  ASSERT_EQ(bank.size(), 3u * 128);
  for (float value : bank) EXPECT_FLOAT_EQ(value, std::log(1.192092955078125e-07f));
}

TEST(FilterBank, LessThanAFrameGivesNothing) {
  EXPECT_TRUE(KaldiFilterBank(std::vector<float>(399), {}).empty());
  EXPECT_EQ(KaldiFilterBank(std::vector<float>(400), {}).size(), 128u);
  EXPECT_TRUE(KaldiFilterBank({}, {}).empty());
}

TEST(FilterBank, OptionsOutOfRangeAreRefused) {
  std::vector<float> samples(1000);
  for (const FilterBankOptions& options :
       {FilterBankOptions{.rate = 0}, FilterBankOptions{.mel_bins = 0},
        FilterBankOptions{.frame_length = 513}, FilterBankOptions{.hop_length = 0},
        FilterBankOptions{.fft_length = 500}, FilterBankOptions{.lowest_frequency = 9000},
        FilterBankOptions{.highest_frequency = 10}}) {
    EXPECT_THROW(KaldiFilterBank(samples, options), Error);
  }
}

}  // namespace
}  // namespace hearth::media

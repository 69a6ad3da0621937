#include "media/sound.h"

#include <gmock/gmock.h>
#include <sndfile.h>

#include <cmath>

#include "base/error.h"
#include "media/internal/test_media.h"

namespace hearth::media {
namespace {

using ::testing::HasSubstr;

constexpr int kWav = SF_FORMAT_WAV | SF_FORMAT_PCM_16;

std::string RefusalOf(std::string_view bytes, const SoundLimits& limits = {}) {
  return Refusal([&] { DecodeSound(bytes, limits); });
}

// Of the parts that both have, away from the ends.
double LargestDifference(const std::vector<float>& a, const std::vector<float>& b, size_t margin) {
  double largest = 0;
  for (size_t i = margin; i + margin < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, static_cast<double>(std::fabs(a[i] - b[i])));
  }
  return largest;
}

double Loudness(const std::vector<float>& samples) {
  double sum = 0;
  for (float sample : samples) sum += static_cast<double>(sample) * sample;
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

TEST(Sound, WavGivesItsSamples) {
  std::vector<float> tone = Tone(440, 16000, 4000);
  Sound sound = DecodeSound(WriteSound(kWav, 16000, 1, tone));
  EXPECT_EQ(sound.rate, 16000u);
  ASSERT_EQ(sound.samples.size(), 4000u);
  EXPECT_LE(LargestDifference(sound.samples, tone, 0), 1.0 / 32768);
}

TEST(Sound, FloatsAndWideNumbersOfWav) {
  std::vector<float> tone = Tone(440, 8000, 500);
  EXPECT_EQ(DecodeSound(WriteSound(SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 1, tone)).samples, tone);
  EXPECT_LE(LargestDifference(
                DecodeSound(WriteSound(SF_FORMAT_WAV | SF_FORMAT_PCM_24, 8000, 1, tone)).samples,
                tone, 0),
            1e-6);
}

TEST(Sound, ChannelsAreAveraged) {
  Sound sound =
      DecodeSound(WriteSound(SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 2, {0.5f, 0.25f, -1.0f, 1.0f}));
  EXPECT_THAT(sound.samples, ::testing::ElementsAre(0.375f, 0.0f));
}

TEST(Sound, FlacIsExact) {
  std::vector<float> tone = Tone(300, 22050, 9000);
  EXPECT_EQ(DecodeSound(WriteSound(SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 22050, 1, tone)).samples,
            DecodeSound(WriteSound(kWav, 22050, 1, tone)).samples);
}

TEST(Sound, LossyFormatsAreClose) {
  std::vector<float> tone = Tone(440, 48000, 48000);
  for (int format : {SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_FORMAT_OGG | SF_FORMAT_OPUS,
                     SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}) {
    Sound sound = DecodeSound(WriteSound(format, 48000, 1, tone));
    EXPECT_EQ(sound.rate, 48000u);
    EXPECT_NEAR(static_cast<double>(sound.samples.size()), 48000, 3000) << std::hex << format;
    EXPECT_NEAR(Loudness(sound.samples), Loudness(tone), 0.02) << std::hex << format;
  }
}

TEST(Sound, ACutRecordingGivesWhatIsThere) {
  std::string wav = WriteSound(kWav, 16000, 1, Tone(440, 16000, 4000));
  EXPECT_EQ(DecodeSound(wav.substr(0, 44 + 2 * 1000)).samples.size(), 1000u);
}

TEST(Sound, RefusalsNameWhatIsWrong) {
  EXPECT_THAT(RefusalOf(""), HasSubstr("empty"));
  EXPECT_THAT(RefusalOf("a text that is long enough"), HasSubstr("WAV, FLAC, Ogg and MP3"));
  EXPECT_THAT(RefusalOf("RIFF\x24\0\0\0WAVEfmt "), HasSubstr("no recording"));
  EXPECT_THAT(RefusalOf(std::string("RIFF\x24\0\0\0WAVEfmt ", 16)), HasSubstr("damaged"));
  EXPECT_THAT(RefusalOf("fLaC" + std::string(100, 'x')), HasSubstr("damaged"));
  // AU is a format that libsndfile reads and this does not.
  EXPECT_THAT(RefusalOf(WriteSound(SF_FORMAT_AU | SF_FORMAT_PCM_16, 8000, 1, Tone(440, 8000, 100))),
              HasSubstr("no recording that can be read"));
  EXPECT_THAT(RefusalOf(WriteSound(kWav, 8000, 1, {})), HasSubstr("empty"));
  std::string not_numbers =
      WriteSound(SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 1, {0.5f, std::nanf("")});
  EXPECT_THAT(RefusalOf(not_numbers), HasSubstr("no numbers"));
}

TEST(Sound, LimitsHold) {
  std::string wav = WriteSound(kWav, 8000, 2, Tone(440, 8000, 2000));
  EXPECT_THAT(RefusalOf(wav, {.samples = 999}), HasSubstr("too long"));
  EXPECT_EQ(RefusalOf(wav, {.samples = 1000}), "");
  EXPECT_THAT(RefusalOf(wav, {.channels = 1}), HasSubstr("2 channels"));
  EXPECT_THAT(RefusalOf(wav, {.lowest_rate = 8001}), HasSubstr("8000 Hz"));
}

TEST(Sound, AnyByteMayBeWrongOrMissing) {
  std::vector<float> tone = Tone(440, 16000, 1200);
  for (int format : {kWav, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_OGG | SF_FORMAT_VORBIS,
                     SF_FORMAT_OGG | SF_FORMAT_OPUS, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}) {
    std::string file = WriteSound(format, 16000, 1, tone);
    const SoundLimits limits{.samples = 1 << 16};
    // Headers densely, the rest here and there.
    for (size_t at = 0; at < file.size(); at += at < 200 ? 1 : 37) {
      std::string bytes = file;
      bytes[at] = static_cast<char>(~bytes[at]);
      RefusalOf(bytes, limits);
      RefusalOf(file.substr(0, at), limits);
    }
  }
}

TEST(ResampleSound, ATonePassesUnchanged) {
  for (auto [from, to] : {std::pair{44100u, 16000u},
                          {48000u, 16000u},
                          {8000u, 16000u},
                          {16000u, 44100u},
                          {22050u, 16000u},
                          {16001u, 15999u}}) {
    Sound resampled = ResampleSound(Sound{from, Tone(1000, from, from / 4)}, to);
    EXPECT_EQ(resampled.rate, to);
    EXPECT_EQ(resampled.samples.size(), (uint64_t{from / 4} * to + from - 1) / from);
    EXPECT_LE(LargestDifference(resampled.samples, Tone(1000, to, to / 4), 400), 1e-4)
        << from << " to " << to;
  }
}

TEST(ResampleSound, WhatTheNewRateCannotHoldIsSilent) {
  // 10 kHz would be mirrored to 6 kHz.
  Sound resampled = ResampleSound(Sound{48000, Tone(10000, 48000, 48000)}, 16000);
  std::vector<float> middle(resampled.samples.begin() + 1000, resampled.samples.end() - 1000);
  EXPECT_LE(Loudness(middle), 2e-5);  // 85 dB below the tone
}

TEST(ResampleSound, ShortAndEmptySounds) {
  EXPECT_TRUE(ResampleSound(Sound{48000, {}}, 16000).samples.empty());
  EXPECT_EQ(ResampleSound(Sound{48000, {1.0f}}, 16000).samples.size(), 1u);
  EXPECT_EQ(ResampleSound(Sound{16000, {1.0f, 2.0f}}, 16000).samples,
            (std::vector<float>{1.0f, 2.0f}));
}

TEST(ResampleSound, RatesOutOfRangeAreRefused) {
  for (auto [from, to] : {std::pair{0u, 16000u}, {16000u, 0u}, {16000u, 800'000u}}) {
    EXPECT_THROW(ResampleSound(Sound{from, {1.0f}}, to), Error);
  }
}

}  // namespace
}  // namespace hearth::media

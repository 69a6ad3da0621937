#include "runtime/preprocess/sound_preprocessing.h"

#include <algorithm>

#include "base/error.h"
#include "media/mel.h"
#include "runtime/model_config.h"

namespace hearth::runtime {

SoundPreprocessing SoundPreprocessing::Parse(const Json& json) {
  ModelConfig file(json);
  SoundPreprocessing made;
  made.rate = file.Count({"sampling_rate"}, made.rate, 192'000);
  made.mel_bins = file.Count({"num_mel_bins"}, made.mel_bins, 1024);
  made.frames = file.Count({"max_length"}, made.frames, 1u << 20);
  made.normalises = file.Flag({"do_normalize"}, true);
  made.mean = file.Real({"mean"}, made.mean);
  made.std = file.Real({"std"}, made.std);
  // A window of 400 samples is made for speech: a rate below hears nothing of it.
  if (made.rate < 1000 || made.mel_bins == 0 || made.frames == 0 || made.std == 0) {
    throw Error(Code::kInvalidArgument,
                "preprocessor_config.json: \"sampling_rate\" must be at least 1000, and "
                "\"num_mel_bins\", \"max_length\" and \"std\" not 0");
  }
  return made;
}

std::vector<float> SoundPreprocessing::Apply(const media::Sound& sound) const {
  media::FilterBankOptions options;
  options.rate = rate;
  options.mel_bins = mel_bins;
  uint64_t seen = options.frame_length + uint64_t{frames - 1} * options.hop_length;
  media::Sound resampled;
  const media::Sound* now = &sound;
  if (sound.rate != rate) {
    // No more than what is seen, and a second for the filter to fade in.
    uint64_t needed = (seen / rate + 2) * sound.rate;
    resampled = {sound.rate,
                 {sound.samples.begin(),
                  sound.samples.begin() +
                      static_cast<int64_t>(std::min<uint64_t>(sound.samples.size(), needed))}};
    resampled = media::ResampleSound(resampled, rate);
    now = &resampled;
  }
  std::span<const float> samples(now->samples.data(),
                                 std::min<uint64_t>(now->samples.size(), seen));
  std::vector<float> bank = media::KaldiFilterBank(samples, options);
  bank.resize(uint64_t{frames} * mel_bins);
  std::vector<float> turned(bank.size());
  for (uint32_t frame = 0; frame < frames; ++frame) {
    for (uint32_t bin = 0; bin < mel_bins; ++bin) {
      float value = bank[uint64_t{frame} * mel_bins + bin];
      turned[uint64_t{bin} * frames + frame] = normalises ? (value - mean) / (std * 2) : value;
    }
  }
  return turned;
}

}  // namespace hearth::runtime

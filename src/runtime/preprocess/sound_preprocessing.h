// What a model's preprocessor_config.json says of sounds: how one becomes the spectrogram that an
// Audio Spectrogram Transformer sees.
//
// A mel filter bank of a fixed number of frames: what is longer is cut off, what is missing is
// zeros before everything is normalised, as transformers' ASTFeatureExtractor does. Plain data;
// pure functions. Errors: kInvalidArgument for a file that says something impossible.
#pragma once

#include <cstdint>
#include <vector>

#include "codec/json.h"
#include "media/sound.h"

namespace hearth::runtime {

struct SoundPreprocessing {
  uint32_t rate = 16'000;  // samples a second
  uint32_t mel_bins = 128;
  uint32_t frames = 1024;
  // Of the spectrogram; what comes out is (value - mean) / (2 std).
  float mean = -4.2677393f, std = 4.5689974f;
  bool normalises = true;

  static SoundPreprocessing Parse(const Json& file);
  // [mel_bins][frames]
  std::vector<float> Apply(const media::Sound& sound) const;
};

}  // namespace hearth::runtime

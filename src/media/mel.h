// Spectrograms on the mel scale, as models of sound take them.
//
// KaldiFilterBank is `compute-fbank-feats` of Kaldi as transformers' ASTFeatureExtractor has it
// without torchaudio: frames without padding; of each its mean is taken away, pre-emphasis, a
// symmetric Hann window, the power spectrum, triangles that are straight on the mel scale, the
// natural logarithm. Thread rule: pure functions; call them from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hearth::media {

struct FilterBankOptions {
  uint32_t rate = 16'000;  // samples a second
  uint32_t mel_bins = 128;
  uint32_t frame_length = 400;           // samples; 25 ms
  uint32_t hop_length = 160;             // samples; 10 ms
  uint32_t fft_length = 512;             // a power of two, at least frame_length
  double lowest_frequency = 20;          // hertz
  double highest_frequency = 0;          // hertz; 0 = half of the rate
  double preemphasis = 0.97;             // 0 = none
  bool remove_mean = true;               // of each frame
  double floor = 1.192092955078125e-07;  // energies below it count as this
};

// Frames that `samples` samples give: 0 when they are fewer than one frame's.
size_t FilterBankFrames(size_t samples, const FilterBankOptions& options);

// FilterBankFrames(...) rows of mel_bins values. Throws Error kInvalidArgument for options out of
// range.
std::vector<float> KaldiFilterBank(std::span<const float> samples,
                                   const FilterBankOptions& options);

}  // namespace hearth::media

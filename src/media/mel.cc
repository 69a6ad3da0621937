#include "media/mel.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>

#include "base/error.h"

namespace hearth::media {
namespace {

constexpr uint32_t kLongestTransform = 1u << 16, kMostBins = 1024, kHighestRate = 768'000;

double Mel(double hertz) { return 1127.0 * std::log(1.0 + hertz / 700.0); }

double HighestFrequency(const FilterBankOptions& options) {
  return options.highest_frequency > 0 ? options.highest_frequency : options.rate / 2;
}

void Check(const FilterBankOptions& options) {
  const bool good = options.rate > 0 && options.rate <= kHighestRate && options.mel_bins > 0 &&
                    options.mel_bins <= kMostBins && options.frame_length > 1 &&
                    options.hop_length > 0 && std::has_single_bit(options.fft_length) &&
                    options.fft_length <= kLongestTransform &&
                    options.frame_length <= options.fft_length && options.lowest_frequency >= 0 &&
                    options.lowest_frequency < HighestFrequency(options) &&
                    std::isfinite(options.highest_frequency) && options.floor > 0;
  if (!good) throw Error(Code::kInvalidArgument, "a filter bank cannot be made by these options");
}

// The discrete Fourier transform of real numbers by Cooley and Tukey's algorithm, radix 2, in
// place.
class Transform {
 public:
  explicit Transform(uint32_t length) : order_(length), turns_(length / 2) {
    const int bits = std::countr_zero(length);
    for (uint32_t i = 0; i < length; ++i) {
      uint32_t reversed = 0;
      for (int b = 0; b < bits; ++b) reversed |= (i >> b & 1) << (bits - 1 - b);
      order_[i] = reversed;
    }
    for (uint32_t i = 0; i < length / 2; ++i)
      turns_[i] = std::polar(1.0, -2 * std::numbers::pi * i / length);
  }

  // `values` has the length of the transform.
  void Run(const std::vector<double>& values, std::vector<std::complex<double>>& out) const {
    const size_t length = order_.size();
    for (size_t i = 0; i < length; ++i) out[i] = values[order_[i]];
    for (size_t half = 1; half < length; half *= 2) {
      const size_t stride = length / (2 * half);
      for (size_t start = 0; start < length; start += 2 * half) {
        for (size_t i = 0; i < half; ++i)
          Butterfly(out[start + i], out[start + half + i], turns_[i * stride]);
      }
    }
  }

 private:
  // Written out: the operator of std::complex looks for infinities.
  static void Butterfly(std::complex<double>& a, std::complex<double>& b,
                        std::complex<double> turn) {
    const std::complex<double> turned(b.real() * turn.real() - b.imag() * turn.imag(),
                                      b.real() * turn.imag() + b.imag() * turn.real());
    b = a - turned;
    a += turned;
  }

  std::vector<uint32_t> order_;
  std::vector<std::complex<double>> turns_;
};

// A triangle over some neighbouring frequencies.
struct Triangle {
  uint32_t first = 0;
  std::vector<double> weights;
};

std::vector<Triangle> MakeTriangles(const FilterBankOptions& options) {
  const double lowest = Mel(options.lowest_frequency), highest = Mel(HighestFrequency(options));
  const double width = (highest - lowest) / (options.mel_bins + 1);
  const double bin_hertz = static_cast<double>(options.rate) / options.fft_length;
  std::vector<Triangle> triangles(options.mel_bins);
  for (uint32_t m = 0; m < options.mel_bins; ++m) {
    const double left = lowest + width * m, right = left + 2 * width;
    Triangle& triangle = triangles[m];
    for (uint32_t bin = 0; bin <= options.fft_length / 2; ++bin) {
      const double mel = Mel(bin_hertz * bin);
      const double weight = std::min((mel - left) / width, (right - mel) / width);
      if (weight <= 0) {
        if (!triangle.weights.empty()) break;
        continue;
      }
      if (triangle.weights.empty()) triangle.first = bin;
      triangle.weights.push_back(weight);
    }
  }
  return triangles;
}

std::vector<double> HannWindow(uint32_t length) {
  std::vector<double> window(length);
  for (uint32_t i = 0; i < length; ++i) {
    window[i] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * i / (length - 1));
  }
  return window;
}

void PrepareFrame(const float* samples, const FilterBankOptions& options,
                  const std::vector<double>& window, std::vector<double>& frame) {
  const size_t length = options.frame_length;
  std::copy(samples, samples + length, frame.begin());
  if (options.remove_mean) {
    double sum = 0;
    for (size_t i = 0; i < length; ++i) sum += frame[i];
    for (size_t i = 0; i < length; ++i) frame[i] -= sum / static_cast<double>(length);
  }
  for (size_t i = length; i-- > 1;) frame[i] -= options.preemphasis * frame[i - 1];
  frame[0] *= 1 - options.preemphasis;
  for (size_t i = 0; i < length; ++i) frame[i] *= window[i];
}

}  // namespace

size_t FilterBankFrames(size_t samples, const FilterBankOptions& options) {
  Check(options);
  if (samples < options.frame_length) return 0;
  return 1 + (samples - options.frame_length) / options.hop_length;
}

std::vector<float> KaldiFilterBank(std::span<const float> samples,
                                   const FilterBankOptions& options) {
  const size_t frames = FilterBankFrames(samples.size(), options);
  const std::vector<Triangle> triangles = MakeTriangles(options);
  const std::vector<double> window = HannWindow(options.frame_length);
  const Transform transform(options.fft_length);
  std::vector<double> frame(options.fft_length), power(options.fft_length / 2 + 1);
  std::vector<std::complex<double>> spectrum(options.fft_length);
  std::vector<float> bank;
  bank.reserve(frames * options.mel_bins);
  for (size_t f = 0; f < frames; ++f) {
    PrepareFrame(&samples[f * options.hop_length], options, window, frame);
    transform.Run(frame, spectrum);
    for (size_t i = 0; i < power.size(); ++i) {
      // Single precision, as the reference keeps its spectrum.
      const double real = static_cast<float>(spectrum[i].real()),
                   imaginary = static_cast<float>(spectrum[i].imag());
      power[i] = real * real + imaginary * imaginary;
    }
    for (const Triangle& triangle : triangles) {
      double energy = 0;
      for (size_t i = 0; i < triangle.weights.size(); ++i)
        energy += triangle.weights[i] * power[triangle.first + i];
      bank.push_back(static_cast<float>(std::log(std::max(energy, options.floor))));
    }
  }
  return bank;
}

}  // namespace hearth::media

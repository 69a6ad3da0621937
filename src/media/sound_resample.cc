// Another rate for a sound, by a windowed sinc.
//
// Between two rates that have a common divisor, the positions of new samples among the old ones
// repeat: from 44.1 to 16 kHz there are 160 of them ("phases"). The weights of each are computed
// once where they fit into kTableWeights, else for each sample anew.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/error.h"
#include "media/sound.h"

namespace hearth::media {
namespace {

constexpr uint32_t kHighestRate = 768'000;
// Zero crossings of the sinc on each side, and the shape of its Kaiser window: together they damp
// what would be mirrored by more than 90 dB, less than a 16-bit sample's noise.
constexpr double kCrossings = 32, kBeta = 9.5;
// Where the low pass ends, as part of half of the lower rate: its slope has to fall before that.
constexpr double kRollOff = 0.945;
constexpr size_t kTableWeights = size_t{1} << 20;  // 4 MiB

double BesselI0(double x) {  // its power series; x is at most kBeta
  double term = 1, sum = 1;
  for (int k = 1; term > sum * 1e-17; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

class Resampler {
 public:
  Resampler(uint32_t from, uint32_t to)
      : cutoff_(kRollOff * std::min(1.0, static_cast<double>(to) / from)),
        reach_(kCrossings / cutoff_),
        taps_(2 * static_cast<size_t>(std::ceil(reach_))),
        window_scale_(1 / BesselI0(kBeta)) {}

  // Old samples that make one new sample.
  size_t taps() const { return taps_; }

  // Weights of the old samples from `taps / 2 - 1` before the position's whole part on; `part` is
  // in [0, 1).
  void Weigh(double part, float* weights) const {
    double sum = 0;
    for (size_t i = 0; i < taps_; ++i) {
      const double weight =
          Kernel(static_cast<double>(i) - static_cast<double>(taps_ / 2 - 1) - part);
      weights[i] = static_cast<float>(weight);
      sum += weight;
    }
    // A constant stays what it is.
    for (size_t i = 0; i < taps_; ++i) weights[i] = static_cast<float>(weights[i] / sum);
  }

 private:
  double Kernel(double x) const {
    const double place = x / reach_;
    if (std::fabs(place) >= 1) return 0;
    const double angle = std::numbers::pi * x * cutoff_;
    const double sinc = angle == 0 ? 1 : std::sin(angle) / angle;
    return cutoff_ * sinc * BesselI0(kBeta * std::sqrt(1 - place * place)) * window_scale_;
  }

  double cutoff_;  // as part of half of the old rate
  double reach_;   // old samples
  size_t taps_;
  double window_scale_;
};

// Silence lies before and behind the sound.
float Convolve(const std::vector<float>& samples, int64_t first, const float* weights,
               size_t taps) {
  const auto size = static_cast<int64_t>(samples.size());
  const int64_t skip = std::max<int64_t>(0, -first);
  const int64_t end = std::min<int64_t>(static_cast<int64_t>(taps), size - first);
  // Eight sums: one would wait for itself.
  float sums[8] = {};
  int64_t i = skip;
  for (; i + 8 <= end; i += 8) {
    for (int64_t lane = 0; lane < 8; ++lane) {
      sums[lane] += samples[static_cast<size_t>(first + i + lane)] * weights[i + lane];
    }
  }
  float sum = 0;
  for (; i < end; ++i) sum += samples[static_cast<size_t>(first + i)] * weights[i];
  for (float lane : sums) sum += lane;
  return sum;
}

}  // namespace

Sound ResampleSound(const Sound& sound, uint32_t rate) {
  if (rate == 0 || rate > kHighestRate || sound.rate == 0 || sound.rate > kHighestRate) {
    throw Error(Code::kInvalidArgument, "a sound's rate is 1 to 768,000 Hz");
  }
  if (rate == sound.rate) return sound;
  const uint64_t divisor = std::gcd(rate, sound.rate);
  const uint64_t up = rate / divisor, down = sound.rate / divisor;
  const uint64_t length = (sound.samples.size() * up + down - 1) / down;
  const Resampler resampler(sound.rate, rate);
  const size_t taps = resampler.taps();
  const bool tabled = up * taps <= kTableWeights && up <= length;
  std::vector<float> weights(tabled ? up * taps : taps);
  for (uint64_t phase = 0; tabled && phase < up; ++phase) {
    resampler.Weigh(static_cast<double>(phase) / static_cast<double>(up), &weights[phase * taps]);
  }
  Sound out{rate, std::vector<float>(length)};
  for (uint64_t i = 0; i < length; ++i) {
    const uint64_t position = i * down, phase = position % up;
    float* of_phase = tabled ? &weights[phase * taps] : weights.data();
    if (!tabled) resampler.Weigh(static_cast<double>(phase) / static_cast<double>(up), of_phase);
    const auto first = static_cast<int64_t>(position / up) - static_cast<int64_t>(taps / 2 - 1);
    out.samples[i] = Convolve(sound.samples, first, of_phase, taps);
  }
  return out;
}

}  // namespace hearth::media

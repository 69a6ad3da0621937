// The random numbers of sampling: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy
// as 1, 2, 3", 2011), a function from a key and a counter to 128 random bits. There is no state
// to carry: the number for a step of a sequence depends on the seed, the sequence and the step
// alone, never on what else runs in the batch or on how many steps ran before.
//
// Layout: the key is the seed; the counter is (step low, step high, sequence, purpose).
// Pure, thread-safe.
#pragma once

#include <array>
#include <cstdint>

namespace hearth::runtime {

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// Different purposes of one step draw different numbers.
enum class DrawPurpose : uint32_t { kToken = 0, kAcceptance = 1, kBeams = 16 /* and above */ };

class RandomStream {
 public:
  // `sequence` tells the sequences of one request apart (n, num_return_sequences).
  RandomStream(uint64_t seed, uint32_t sequence) : seed_(seed), sequence_(sequence) {}

  // In [0, 1), a multiple of 2^-53.
  double Uniform(uint64_t step, DrawPurpose purpose = DrawPurpose::kToken) const {
    return Uniform(step, static_cast<uint32_t>(purpose));
  }
  double Uniform(uint64_t step, uint32_t purpose) const;

  uint64_t seed() const { return seed_; }

 private:
  uint64_t seed_;
  uint32_t sequence_;
};

}  // namespace hearth::runtime

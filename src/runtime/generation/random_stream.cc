#include "runtime/generation/random_stream.h"

namespace hearth::runtime {

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    uint64_t product0 = kMultiplier0 * counter[0];
    uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

double RandomStream::Uniform(uint64_t step, uint32_t purpose) const {
  auto bits = Philox4x32(
      {static_cast<uint32_t>(step), static_cast<uint32_t>(step >> 32), sequence_, purpose},
      {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
  uint64_t both = (uint64_t{bits[0]} << 32) | bits[1];
  return static_cast<double>(both >> 11) * 0x1p-53;
}

}  // namespace hearth::runtime

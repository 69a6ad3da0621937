// Writes a file of a kind that models are made of. Usage: xet_data KIND SEED BYTES FILE, with KIND
// random, f32 or bf16 (normally distributed weights, as a fresh layer has them).
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

uint64_t state;

uint64_t Next() {  // SplitMix64
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// Two normals of deviation 0.02 (Box-Muller).
void Normals(float& a, float& b) {
  uint64_t bits = Next();
  float u = (static_cast<float>(bits >> 40) + 1.0f) * 0x1p-24f;
  float angle = static_cast<float>(bits & 0xffffff) * (0x1p-24f * 6.28318530718f);
  float radius = 0.02f * std::sqrt(-2.0f * std::log(u));
  a = radius * std::cos(angle);
  b = radius * std::sin(angle);
}

uint16_t Bf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  std::string kind = argv[1];
  state = std::strtoull(argv[2], nullptr, 10);
  uint64_t left = std::strtoull(argv[3], nullptr, 10);
  FILE* out = std::fopen(argv[4], "wb");
  if (!out) return 1;
  std::vector<uint64_t> block(1 << 17);
  while (left > 0) {
    size_t bytes = left < block.size() * 8 ? static_cast<size_t>(left) : block.size() * 8;
    if (kind == "random") {
      for (uint64_t& word : block) word = Next();
    } else if (kind == "f32") {
      float* values = reinterpret_cast<float*>(block.data());
      for (size_t i = 0; i < block.size() * 2; i += 2) Normals(values[i], values[i + 1]);
    } else if (kind == "bf16") {
      uint16_t* values = reinterpret_cast<uint16_t*>(block.data());
      for (size_t i = 0; i < block.size() * 4; i += 2) {
        float a, b;
        Normals(a, b);
        values[i] = Bf16(a);
        values[i + 1] = Bf16(b);
      }
    } else {
      return 2;
    }
    if (std::fwrite(block.data(), 1, bytes, out) != bytes) return 1;
    left -= bytes;
  }
  return std::fclose(out) == 0 ? 0 : 1;
}

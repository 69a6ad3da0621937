// Which instruction sets this machine has, asked once. Kernels that exist in several tiers choose
// by CpuTier() at run time; a test walks SupportedTiers() so that every tier the machine has, and
// the portable one always, meets the same expectations. Thread-safe.
//
// The environment variable HEARTH_CPU_TIER (portable, avx2, avx512) lowers the tier for a whole
// process: for tests, and to rule out a kernel when hunting a fault. It cannot raise it. "avx512"
// also rules out AMX, which is above it.
#pragma once

#include <string_view>
#include <vector>

namespace hearth {

enum class Tier {
  kPortable,  // plain C++; the compiler's baseline (SSE2 on x86-64, NEON on arm64)
  kAvx2,      // AVX2, FMA, F16C, BMI1/2, POPCNT (Haswell, Zen and later)
  kAvx512,    // AVX-512 F, BW, CD, DQ, VL (Skylake-X, Zen 4 and later)
};

// Extensions above kAvx512 that a kernel must ask for one by one; false below that tier.
struct CpuExtensions {
  bool avx512_vbmi = false;
  bool avx512_vbmi2 = false;
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool amx = false;  // tiles with int8 and bf16; UseAmx() must have been asked
  bool gfni = false;
  bool sha = false;  // SHA-1 and SHA-256
};

std::string_view TierName(Tier tier);
// The highest tier of this machine, or the lower one that HEARTH_CPU_TIER names.
Tier CpuTier();
const CpuExtensions& GetCpuExtensions();
// Whether this process may use AMX: the machine has it, and the system lets it (Linux gives the
// tiles' state to processes that ask; this asks once, for all threads).
bool UseAmx();
// kPortable up to CpuTier(), rising.
std::vector<Tier> SupportedTiers();

}  // namespace hearth

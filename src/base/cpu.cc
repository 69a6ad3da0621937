#include "base/cpu.h"

#include <algorithm>
#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace hearth {
namespace {

#if defined(__x86_64__)
// Both are asked of the CPU itself: the compilers' __builtin_cpu_supports does not know them.
bool HasF16c() {
  unsigned eax, ebx, ecx, edx;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

bool HasSha() {
  unsigned eax, ebx, ecx, edx;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & bit_SHA) != 0;
}

// Tiles, int8 and bf16, and a system that saves tiles (XTILECFG and XTILEDATA in XCR0).
bool HasAmx() {
  constexpr unsigned kBf16 = 1u << 22, kTile = 1u << 24, kInt8 = 1u << 25;
  constexpr unsigned kOsxsave = 1u << 27, kTileState = 3u << 17;
  unsigned eax, ebx, ecx, edx;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kOsxsave) == 0) return false;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  if ((edx & kBf16) == 0 || (edx & kTile) == 0 || (edx & kInt8) == 0) return false;
  unsigned low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & kTileState) == kTileState;
}

// Documentation/arch/x86/xstate.rst of the kernel.
bool AskForTiles() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#endif

Tier MachineTier() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && HasF16c() &&
              __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
              __builtin_cpu_supports("popcnt");
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512vl");
  if (avx512) return Tier::kAvx512;
  if (avx2) return Tier::kAvx2;
#endif
  return Tier::kPortable;
}

Tier WantedTier() {
  const char* wanted = std::getenv("HEARTH_CPU_TIER");
  if (wanted == nullptr) return Tier::kAvx512;
  for (Tier tier : {Tier::kPortable, Tier::kAvx2}) {
    if (TierName(tier) == wanted) return tier;
  }
  return Tier::kAvx512;
}

CpuExtensions MachineExtensions() {
  CpuExtensions found;
#if defined(__x86_64__)
  if (CpuTier() == Tier::kAvx512) {
    found.avx512_vbmi = __builtin_cpu_supports("avx512vbmi");
    found.avx512_vbmi2 = __builtin_cpu_supports("avx512vbmi2");
    found.avx512_vnni = __builtin_cpu_supports("avx512vnni");
    found.avx512_bf16 = __builtin_cpu_supports("avx512bf16");
    const char* wanted = std::getenv("HEARTH_CPU_TIER");
    found.amx = (wanted == nullptr || wanted != TierName(Tier::kAvx512)) && HasAmx();
    found.gfni = __builtin_cpu_supports("gfni");
    found.sha = HasSha();
  }
#endif
  return found;
}

}  // namespace

std::string_view TierName(Tier tier) {
  switch (tier) {
    case Tier::kPortable:
      return "portable";
    case Tier::kAvx2:
      return "avx2";
    case Tier::kAvx512:
      return "avx512";
  }
  return "portable";
}

Tier CpuTier() {
  static const Tier tier = std::min(MachineTier(), WantedTier());
  return tier;
}

const CpuExtensions& GetCpuExtensions() {
  static const CpuExtensions extensions = MachineExtensions();
  return extensions;
}

bool UseAmx() {
#if defined(__x86_64__)
  static const bool is_given = GetCpuExtensions().amx && AskForTiles();
  return is_given;
#else
  return false;
#endif
}

std::vector<Tier> SupportedTiers() {
  std::vector<Tier> tiers;
  for (Tier tier : {Tier::kPortable, Tier::kAvx2, Tier::kAvx512}) {
    if (tier <= CpuTier()) tiers.push_back(tier);
  }
  return tiers;
}

}  // namespace hearth

// The tile instructions of AMX as the kernels use them, and an exact emulation for machines without
// (Intel SDM volume 2, LDTILECFG, TILELOADD, TDPBSUD, TDPBF16PS).
//
// There are eight tiles of up to 16 rows of 64 bytes. A configuration says how much of each is in
// use; loading one sets all tiles to zero. A product adds to tile C the product of A, a row of C a
// row, and B, whose row k holds inputs 4k to 4k + 3 (2k, 2k + 1 of bf16) of 16 outputs: one step of
// a packed panel (packed_layout.h). State is the thread's.
#pragma once

#include <cstdint>
#include <cstring>

#include "tensor/float_formats.h"

namespace hearth::tensor::internal {

constexpr int kTiles = 8, kTileRows = 16, kTileRowBytes = 64;

// As LDTILECFG reads it.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, zero[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

#if defined(__x86_64__)
// The instructions themselves. The compilers' intrinsics take tile numbers as literals only, which
// a template cannot give them.
struct HardwareTiles {
  static void Configure(const TileConfig& config) { asm volatile("ldtilecfg %0" ::"m"(config)); }
  static void Release() { asm volatile("tilerelease"); }
  template <int kTile>
  static void Zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(kTile));
  }
  template <int kTile>
  static void Load(const void* from, uint64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kTile>
  static void Store(void* to, uint64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(kTile) : "memory");
  }
  // C += A B of signed bytes in A and unsigned ones in B.
  template <int kC, int kA, int kB>
  static void MultiplyBytes() {
    asm volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kC), "i"(kA), "i"(kB));
  }
  template <int kC, int kA, int kB>
  static void MultiplyBf16() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kC), "i"(kA), "i"(kB));
  }
};
#endif

// What a program may not do counts as a fault, where the machine would end it with SIGILL or
// SIGSEGV.
class EmulatedTiles {
 public:
  static void Configure(const TileConfig& config) {
    State& state = Mine();
    state = {config, true, {}, state.faults};
    for (int i = 0; i < 16; ++i) {
      bool fits = i < kTiles ? config.rows[i] <= kTileRows && config.row_bytes[i] <= kTileRowBytes
                             : config.rows[i] == 0 && config.row_bytes[i] == 0;
      fits &= (config.rows[i] == 0) == (config.row_bytes[i] == 0);
      state.faults += fits ? 0 : 1;
    }
    state.faults += config.palette == 1 && config.start_row == 0 ? 0 : 1;
  }
  static void Release() { Mine().is_configured = false; }
  // Since the thread began.
  static uint64_t faults() { return Mine().faults; }

  template <int kTile>
  static void Zero() {
    Use<kTile>();
    std::memset(Mine().tiles[kTile], 0, sizeof Mine().tiles[kTile]);
  }
  template <int kTile>
  static void Load(const void* from, uint64_t stride) {
    Zero<kTile>();
    State& state = Mine();
    for (int r = 0; r < state.config.rows[kTile]; ++r) {
      std::memcpy(state.tiles[kTile][r], static_cast<const uint8_t*>(from) + r * stride,
                  state.config.row_bytes[kTile]);
    }
  }
  template <int kTile>
  static void Store(void* to, uint64_t stride) {
    Use<kTile>();
    State& state = Mine();
    for (int r = 0; r < state.config.rows[kTile]; ++r) {
      std::memcpy(static_cast<uint8_t*>(to) + r * stride, state.tiles[kTile][r],
                  state.config.row_bytes[kTile]);
    }
  }

  template <int kC, int kA, int kB>
  static void MultiplyBytes() {
    State& state = UseProduct<kC, kA, kB>();
    for (int m = 0; m < state.config.rows[kC]; ++m) {
      for (int k = 0; k < state.config.row_bytes[kA] / 4; ++k) {
        for (int n = 0; n < state.config.row_bytes[kC] / 4; ++n) {
          uint32_t sum = Get<uint32_t>(state.tiles[kC][m], n);
          for (int i = 0; i < 4; ++i) {
            int32_t a = static_cast<int8_t>(state.tiles[kA][m][4 * k + i]);
            int32_t b = state.tiles[kB][k][4 * n + i];
            sum += static_cast<uint32_t>(a * b);
          }
          Set(state.tiles[kC][m], n, sum);
        }
      }
    }
  }

  // Even and odd inputs are summed apart, then added to each other and to C.
  template <int kC, int kA, int kB>
  static void MultiplyBf16() {
    State& state = UseProduct<kC, kA, kB>();
    for (int m = 0; m < state.config.rows[kC]; ++m) {
      for (int n = 0; n < state.config.row_bytes[kC] / 4; ++n) {
        float even = 0, odd = 0;
        for (int k = 0; k < state.config.row_bytes[kA] / 4; ++k) {
          even = MultiplyAdd(Get<uint16_t>(state.tiles[kA][m], 2 * k),
                             Get<uint16_t>(state.tiles[kB][k], 2 * n), even);
          odd = MultiplyAdd(Get<uint16_t>(state.tiles[kA][m], 2 * k + 1),
                            Get<uint16_t>(state.tiles[kB][k], 2 * n + 1), odd);
        }
        Set(state.tiles[kC][m], n, Normal(Get<float>(state.tiles[kC][m], n) + Normal(even + odd)));
      }
    }
  }

 private:
  struct State {
    TileConfig config;
    bool is_configured = false;
    uint8_t tiles[kTiles][kTileRows][kTileRowBytes] = {};
    uint64_t faults = 0;
  };
  static State& Mine() {
    static thread_local State state;
    return state;
  }
  template <int kTile>
  static void Use() {
    static_assert(kTile >= 0 && kTile < kTiles);
    State& state = Mine();
    state.faults += state.is_configured && state.config.rows[kTile] > 0 ? 0 : 1;
  }
  template <int kC, int kA, int kB>
  static State& UseProduct() {
    static_assert(kC != kA && kA != kB && kB != kC);
    Use<kC>(), Use<kA>(), Use<kB>();
    State& state = Mine();
    const TileConfig& config = state.config;
    bool fits = config.rows[kC] == config.rows[kA] &&
                config.row_bytes[kC] == config.row_bytes[kB] && config.row_bytes[kA] % 4 == 0 &&
                config.row_bytes[kC] % 4 == 0 && config.row_bytes[kA] / 4 == config.rows[kB];
    state.faults += fits ? 0 : 1;
    return state;
  }
  template <typename T>
  static T Get(const uint8_t* row, int place) {
    T value;
    std::memcpy(&value, row + place * sizeof(T), sizeof(T));
    return value;
  }
  template <typename T>
  static void Set(uint8_t* row, int place, T value) {
    std::memcpy(row + place * sizeof(T), &value, sizeof(T));
  }
  // The unit takes denormal numbers for zero and makes none.
  static float Normal(float value) {
    return __builtin_fabsf(value) < 0x1p-126f ? __builtin_copysignf(0, value) : value;
  }
  static float MultiplyAdd(uint16_t a, uint16_t b, float sum) {
    return Normal(__builtin_fmaf(Normal(Bf16ToFloat(a)), Normal(Bf16ToFloat(b)), sum));
  }
};

}  // namespace hearth::tensor::internal

// The matrix products compiled for AVX-512 with VNNI and BF16: those of VNNI, and pairs of bf16
// multiplied and added into an fp32 lane by one instruction.
#include "tensor/kernels/matmul_prelude.h"

#if defined(__x86_64__)
#define HEARTH_VNNI 1
HEARTH_TARGET_BEGIN(
    "avx512bf16,avx512vnni,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2,"
    "popcnt")
namespace hearth::tensor::internal {
namespace {
namespace math {
#include "tensor/kernels/vector_math_avx512.inc"
}  // namespace math

#include "tensor/kernels/matmul_lanes_avx512.inc"

#include "tensor/kernels/matmul_activation.inc"

#include "tensor/kernels/matmul_tiles.inc"

#include "tensor/kernels/matmul_float.inc"

// sum += pairs of a times pairs of b. clang 16 crashes on the intrinsic's casts inside of a lambda.
HEARTH_INLINE void AddPairs(F& sum, W a, W b) {
#if defined(__clang__)
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
#else
  sum = _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
#endif
}

template <int kR, int kP>
HEARTH_INLINE void Bf16Step(const uint8_t* step, uint64_t panel_bytes, const uint8_t* x,
                            uint64_t stride, F (&sum)[kR][kP]) {
  W w[kP];
  Unroll<kP>(HEARTH_EACH(p) { w[p] = LoadStep(step + p * panel_bytes); });
  Unroll<kR>(HEARTH_EACH(r) {
    const W v = SpreadFour(x + r * stride);
    Unroll<kP>(HEARTH_EACH(p) { AddPairs(sum[r][p], w[p], v); });
  });
}

struct Bf16Kernel {
  static constexpr int kRows = kFloatRows, kPanels = kFloatPanels;
  static void Panels(const MatmulCall& call, uint32_t panel, uint32_t, Tile* tile) {
    PackedPanels(call, panel, tile);
  }

  template <int kR, int kP>
  [[gnu::noinline]] static void Run(const Tile& tile) {
    constexpr int kChains = Chains(kR, kP);
    F sum[kChains][kR][kP];
    ClearFloatSums(sum);
    const uint8_t* x = RowOf(tile, 0);
    const uint64_t stride = tile.call->rows.stride, panel_bytes = tile.panel_bytes;
    const uint8_t* step = tile.panel;
    const uint64_t steps = Steps(Packing::kBf16, tile.call->inputs);
    uint64_t s = 0;
    for (; s + kChains <= steps; s += kChains, step += kChains * kStepBytes, x += kChains * 4) {
      Unroll<kChains>(HEARTH_EACH(c) {
        Bf16Step<kR, kP>(step + c * kStepBytes, panel_bytes, x + c * 4, stride, sum[c]);
      });
    }
    for (; s < steps; ++s, step += kStepBytes, x += 4) {
      Bf16Step<kR, kP>(step, panel_bytes, x, stride, sum[0]);
    }
    JoinFloatSums(sum);
    StoreFloatSums(tile, sum[0]);
  }
};

void FillBf16(const float* x, uint32_t columns, const RowTarget& target) {
  for (uint32_t i = 0; i < target.stride / 2; i += 16) {
    F v = Spread(0);
    if (i + 16 <= columns) {
      v = Load(x + i);
    } else if (i < columns) {
      v = LoadFirst(x + i, columns - i);
    }
    _mm256_storeu_si256((__m256i*)(target.values + 2 * i), (__m256i)_mm512_cvtneps_pbh(v));
  }
}

}  // namespace
}  // namespace hearth::tensor::internal
HEARTH_TARGET_END

namespace hearth::tensor::internal {

const MatmulKernels& Bf16Matmul() {
  static const MatmulKernels kernels = [] {
    MatmulKernels best = VnniMatmul();
    best.name = "bf16";
    best.bf16_rows = true;
    best.multiply[static_cast<int>(Packing::kBf16)] = Walk<Bf16Kernel>;
    best.fill_bf16 = FillBf16;
    return best;
  }();
  return kernels;
}

}  // namespace hearth::tensor::internal
#endif

// The matrix products of machines with AMX (Sapphire Rapids and later): int8 and bf16 by tiles,
// everything else, and batches of a few rows, by the kernels of VNNI and BF16.
//
// No machine of the project has AMX. What the tiles are given and what is made of their sums is
// proved with an emulation of the instructions (amx_tiles.h); the instructions themselves are
// checked where they are first used: UsableAmxMatmul compares products with those of the other
// kernels and takes AMX for absent when they differ.
#include "tensor/kernels/matmul_prelude.h"

#if defined(__x86_64__)
#include <vector>

#include "base/log.h"
#include "tensor/kernels/amx_tiles.h"
#include "tensor/kernels/rows_layout.h"

#define HEARTH_VNNI 1
HEARTH_TARGET_BEGIN(
    "avx512vnni,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2,popcnt")
namespace hearth::tensor::internal {
namespace {
namespace math {
#include "tensor/kernels/vector_math_avx512.inc"
}  // namespace math

#include "tensor/kernels/matmul_lanes_avx512.inc"

#include "tensor/kernels/matmul_activation.inc"

#include "tensor/kernels/matmul_tiles.inc"

#include "tensor/kernels/matmul_amx.inc"

// A tile of products takes as long with one row as the instructions of VNNI with about four.
constexpr uint64_t kFewestTileRows = 5;

template <Packing kPacking>
void MultiplyAmx(const MatmulCall& call) {
  if (call.row_end - call.row_begin < kFewestTileRows) {
    return Bf16Matmul().multiply[static_cast<int>(kPacking)](call);
  }
  MultiplyTiles<HardwareTiles, kPacking>(call);
}

}  // namespace
}  // namespace hearth::tensor::internal
HEARTH_TARGET_END

namespace hearth::tensor::internal {
namespace {

// Rows, panels and inputs that fill tiles and that do not, of any bits that are numbers.
struct CheckedProduct {
  static constexpr uint64_t kRows = 21;
  static constexpr uint32_t kOutputs = 3 * kPanel, kInputs = 150;

  explicit CheckedProduct(Packing packing) : packing(packing) {
    panel_bytes = PanelBytes(packing, GroupForm::kNone, kInputs);
    panels.resize(3 * panel_bytes);
    layout = LayoutOfRows(packing, true, kRows, kInputs);
    rows.resize(layout.bytes);
    uint32_t state = 1;
    const auto next = [&] { return state = state * 1664525 + 1013904223; };
    const auto number = [&] { return static_cast<float>(next() >> 8) / 0x1p23f - 1; };
    std::vector<float> x(kRows * kInputs);
    for (float& value : x) value = number();
    FillRows(Bf16Matmul(), packing, {x.data(), kInputs, kInputs}, 0, kRows, layout, rows.data());
    for (uint8_t& byte : panels) byte = static_cast<uint8_t>(next() >> 24);
    if (packing == Packing::kBf16) {
      for (uint64_t i = 0; i < panels.size(); i += 2) {
        const uint16_t value = FloatToBf16(number());
        std::memcpy(panels.data() + i, &value, 2);
      }
    }
    for (uint32_t p = 1; packing == Packing::kInt8 && p <= 3; ++p) {
      for (uint32_t i = 0; i < kPanel; ++i) {
        const float scale = number();
        std::memcpy(panels.data() + p * panel_bytes - 64 + 4 * i, &scale, 4);
      }
    }
  }

  std::vector<float> With(const MatmulKernels& kernels) const {
    const Epilogue epilogue;
    std::vector<float> out(kRows * kOutputs);
    MatmulCall call;
    call.panels = panels.data(), call.panel_bytes = panel_bytes;
    call.inputs = kInputs, call.columns = kOutputs, call.panel_end = kOutputs / kPanel;
    call.rows = ViewOf(rows.data(), layout);
    call.row_end = kRows;
    call.epilogue = &epilogue;
    call.out = out.data(), call.out_stride = kOutputs;
    kernels.multiply[static_cast<int>(packing)](call);
    return out;
  }

  Packing packing;
  uint64_t panel_bytes;
  std::vector<uint8_t> panels, rows;
  RowsLayout layout;
};

MatmulKernels AmxKernels(const char* name, void (*int8)(const MatmulCall&),
                         void (*bf16)(const MatmulCall&)) {
  MatmulKernels kernels = Bf16Matmul();
  kernels.name = name;
  kernels.multiply[static_cast<int>(Packing::kInt8)] = int8;
  kernels.multiply[static_cast<int>(Packing::kBf16)] = bf16;
  return kernels;
}

}  // namespace

bool AgreesWithBf16(const MatmulKernels& kernels) {
  const CheckedProduct integers(Packing::kInt8), floats(Packing::kBf16);
  if (integers.With(kernels) != integers.With(Bf16Matmul())) return false;
  const std::vector<float> made = floats.With(kernels), expected = floats.With(Bf16Matmul());
  for (uint64_t i = 0; i < made.size(); ++i) {
    // 150 products of magnitudes below 1, summed in another order. NaN is not near either.
    if (!(std::fabs(made[i] - expected[i]) < 1e-4f)) return false;
  }
  return true;
}

const MatmulKernels& EmulatedAmxMatmul() {
  static const MatmulKernels kernels =
      AmxKernels("amx emulated", MultiplyTiles<EmulatedTiles, Packing::kInt8>,
                 MultiplyTiles<EmulatedTiles, Packing::kBf16>);
  return kernels;
}

const MatmulKernels* UsableAmxMatmul() {
  static const MatmulKernels kernels =
      AmxKernels("amx", MultiplyAmx<Packing::kInt8>, MultiplyAmx<Packing::kBf16>);
  static const bool is_usable = [] {
    if (!UseAmx()) return false;
    if (AgreesWithBf16(kernels)) return true;
    log::Warning("AMX gives other products than AVX-512 and is not used");
    return false;
  }();
  return is_usable ? &kernels : nullptr;
}

}  // namespace hearth::tensor::internal
#endif

#include "formats/torch/torch_checkpoint.h"

namespace hearth {
namespace {

constexpr TorchDtype kDtypes[] = {
    {"float32", "F32", 4, 4},
    {"float16", "F16", 2, 2},
    {"bfloat16", "BF16", 2, 2},
    {"float64", "F64", 8, 8},
    {"int64", "I64", 8, 8},
    {"int32", "I32", 4, 4},
    {"int16", "I16", 2, 2},
    {"int8", "I8", 1, 1},
    {"uint8", "U8", 1, 1},
    {"bool", "BOOL", 1, 1},
    {"uint16", "U16", 2, 2},
    {"uint32", "U32", 4, 4},
    {"uint64", "U64", 8, 8},
    {"complex64", "C64", 8, 4},
    {"complex128", "", 16, 8},
    {"complex32", "", 4, 2},
    {"float8_e4m3fn", "F8_E4M3", 1, 1},
    {"float8_e5m2", "F8_E5M2", 1, 1},
    {"float8_e4m3fnuz", "F8_E4M3FNUZ", 1, 1},
    {"float8_e5m2fnuz", "F8_E5M2FNUZ", 1, 1},
    {"float8_e8m0fnu", "F8_E8M0", 1, 1},
    // Two 4-bit floats a byte; safetensors counts the halves ("F4"), so shapes differ.
    {"float4_e2m1fn_x2", "", 1, 1},
    {"bits8", "", 1, 1},
    {"bits16", "", 2, 2},
    {"bits1x8", "", 1, 1},
    {"bits2x4", "", 1, 1},
    {"bits4x2", "", 1, 1},
    {"qint8", "", 1, 1},
    {"qint32", "", 4, 4},
    {"quint8", "", 1, 1},
    {"quint4x2", "", 1, 1},
    {"quint2x4", "", 1, 1},
};

}  // namespace

const TorchDtype* FindTorchDtype(std::string_view name) {
  if (name.substr(0, 6) == "torch.") name.remove_prefix(6);
  if (name.empty()) return nullptr;
  for (const TorchDtype& dtype : kDtypes) {
    if (dtype.torch == name || dtype.safetensors == name) return &dtype;
  }
  return nullptr;
}

}  // namespace hearth

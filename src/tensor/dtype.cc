#include "tensor/dtype.h"

#include <cstring>
#include <string>

#include "base/error.h"
#include "tensor/internal/kernels.h"
#include "tensor/small_floats.h"

namespace hearth::tensor {
namespace {

struct Row {
  std::string_view name;
  uint8_t bits;
  bool is_float;
};

constexpr Row kRows[kDtypes] = {
    {"BOOL", 8, false},   {"F4", 4, true},          {"F6_E2M3", 6, true},     {"F6_E3M2", 6, true},
    {"U8", 8, false},     {"I8", 8, false},         {"F8_E5M2", 8, true},     {"F8_E4M3", 8, true},
    {"F8_E8M0", 8, true}, {"F8_E4M3FNUZ", 8, true}, {"F8_E5M2FNUZ", 8, true}, {"I16", 16, false},
    {"U16", 16, false},   {"F16", 16, true},        {"BF16", 16, true},       {"I32", 32, false},
    {"U32", 32, false},   {"F32", 32, true},        {"C64", 64, false},       {"F64", 64, true},
    {"I64", 64, false},   {"U64", 64, false},
};

const Row& RowOf(Dtype dtype) { return kRows[static_cast<int>(dtype)]; }

[[noreturn]] void NoConversion(Dtype dtype) {
  throw Error(Code::kUnimplemented,
              "no conversion between F32 and " + std::string(DtypeName(dtype)));
}

template <typename T>
void Widen(const uint8_t* in, uint64_t elements, float* out) {
  for (uint64_t i = 0; i < elements; ++i) {
    T value;
    std::memcpy(&value, in + i * sizeof(T), sizeof(T));
    out[i] = static_cast<float>(value);
  }
}

const SmallFloat* ByteFormat(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF8E5m2:
      return &kE5m2;
    case Dtype::kF8E4m3:
      return &kE4m3;
    case Dtype::kF8E5m2Fnuz:
      return &kE5m2Fnuz;
    case Dtype::kF8E4m3Fnuz:
      return &kE4m3Fnuz;
    default:
      return nullptr;
  }
}

const SmallFloat* PackedFormat(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF4:
      return &kE2m1;
    case Dtype::kF6E2m3:
      return &kE2m3;
    case Dtype::kF6E3m2:
      return &kE3m2;
    default:
      return nullptr;
  }
}

// Values of `bits` bits, one after another from the lowest bit of the first byte.
void UnpackToFloat(const SmallFloat& format, int bits, const uint8_t* in, uint64_t elements,
                   float* out) {
  uint32_t held = 0;
  int held_bits = 0;
  for (uint64_t i = 0; i < elements; ++i) {
    if (held_bits < bits) {
      held |= static_cast<uint32_t>(*in++) << held_bits;
      held_bits += 8;
    }
    out[i] = DecodeSmallFloat(format, static_cast<uint8_t>(held & ((1u << bits) - 1)));
    held >>= bits;
    held_bits -= bits;
  }
}

void PackFromFloat(const SmallFloat& format, int bits, const float* in, uint64_t elements,
                   uint8_t* out) {
  uint32_t held = 0;
  int held_bits = 0;
  for (uint64_t i = 0; i < elements; ++i) {
    held |= static_cast<uint32_t>(EncodeSmallFloat(format, in[i])) << held_bits;
    held_bits += bits;
    while (held_bits >= 8) {
      *out++ = static_cast<uint8_t>(held);
      held >>= 8;
      held_bits -= 8;
    }
  }
  if (held_bits > 0) *out = static_cast<uint8_t>(held);
}

void BytesToFloat(const SmallFloat& format, const uint8_t* in, uint64_t elements, float* out) {
  float table[256];
  for (int code = 0; code < 256; ++code) {
    table[code] = DecodeSmallFloat(format, static_cast<uint8_t>(code));
  }
  for (uint64_t i = 0; i < elements; ++i) out[i] = table[in[i]];
}

}  // namespace

std::string_view DtypeName(Dtype dtype) { return RowOf(dtype).name; }

std::optional<Dtype> FindDtype(std::string_view name) {
  for (int i = 0; i < kDtypes; ++i) {
    if (kRows[i].name == name) return static_cast<Dtype>(i);
  }
  return std::nullopt;
}

uint64_t DtypeBits(Dtype dtype) { return RowOf(dtype).bits; }

bool IsFloat(Dtype dtype) { return RowOf(dtype).is_float; }

void ToFloat(Dtype dtype, const uint8_t* in, uint64_t elements, float* out) {
  const internal::Kernels& kernels = internal::KernelsOf(CpuTier());
  switch (dtype) {
    case Dtype::kF32:
      if (elements > 0) std::memcpy(out, in, elements * sizeof(float));
      return;
    case Dtype::kF16:
      return kernels.f16_to_f32(in, elements, out);
    case Dtype::kBf16:
      return kernels.bf16_to_f32(in, elements, out);
    case Dtype::kF64:
      return Widen<double>(in, elements, out);
    case Dtype::kBool:
      for (uint64_t i = 0; i < elements; ++i) out[i] = in[i] != 0 ? 1.0f : 0.0f;
      return;
    case Dtype::kU8:
      return Widen<uint8_t>(in, elements, out);
    case Dtype::kI8:
      return Widen<int8_t>(in, elements, out);
    case Dtype::kI16:
      return Widen<int16_t>(in, elements, out);
    case Dtype::kU16:
      return Widen<uint16_t>(in, elements, out);
    case Dtype::kI32:
      return Widen<int32_t>(in, elements, out);
    case Dtype::kU32:
      return Widen<uint32_t>(in, elements, out);
    case Dtype::kI64:
      return Widen<int64_t>(in, elements, out);
    case Dtype::kU64:
      return Widen<uint64_t>(in, elements, out);
    case Dtype::kF8E8m0:
      for (uint64_t i = 0; i < elements; ++i) out[i] = DecodeE8m0(in[i]);
      return;
    default:
      break;
  }
  if (const SmallFloat* format = ByteFormat(dtype)) return BytesToFloat(*format, in, elements, out);
  const SmallFloat* packed = PackedFormat(dtype);
  if (packed == nullptr) NoConversion(dtype);
  UnpackToFloat(*packed, static_cast<int>(DtypeBits(dtype)), in, elements, out);
}

void FromFloat(Dtype dtype, const float* in, uint64_t elements, uint8_t* out) {
  const internal::Kernels& kernels = internal::KernelsOf(CpuTier());
  switch (dtype) {
    case Dtype::kF32:
      if (elements > 0) std::memcpy(out, in, elements * sizeof(float));
      return;
    case Dtype::kF16:
      return kernels.f32_to_f16(in, elements, out);
    case Dtype::kBf16:
      return kernels.f32_to_bf16(in, elements, out);
    case Dtype::kF64:
      for (uint64_t i = 0; i < elements; ++i) {
        double value = in[i];
        std::memcpy(out + i * sizeof value, &value, sizeof value);
      }
      return;
    case Dtype::kF8E8m0:
      for (uint64_t i = 0; i < elements; ++i) out[i] = EncodeE8m0(in[i]);
      return;
    default:
      break;
  }
  if (const SmallFloat* format = ByteFormat(dtype)) {
    for (uint64_t i = 0; i < elements; ++i) out[i] = EncodeSmallFloat(*format, in[i]);
    return;
  }
  const SmallFloat* packed = PackedFormat(dtype);
  if (packed == nullptr) NoConversion(dtype);
  PackFromFloat(*packed, static_cast<int>(DtypeBits(dtype)), in, elements, out);
}

}  // namespace hearth::tensor

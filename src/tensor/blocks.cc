#include "tensor/blocks.h"

#include <string>

#include "base/error.h"
#include "tensor/dtype.h"
#include "tensor/internal/kernels.h"

namespace hearth::tensor {
namespace internal {

const Kernels& KernelsOf(Tier tier) {
#if defined(__x86_64__)
  switch (tier) {
    case Tier::kAvx512:
      return Avx512Kernels();
    case Tier::kAvx2:
      return Avx2Kernels();
    case Tier::kPortable:
      break;
  }
#endif
  return PortableKernels();
}

}  // namespace internal

namespace {

// Plain types of GGUF that are dtypes of their own.
bool IsPlain(BlockType type, Dtype* dtype) {
  switch (type) {
    case BlockType::kF32:
      *dtype = Dtype::kF32;
      return true;
    case BlockType::kF64:
      *dtype = Dtype::kF64;
      return true;
    case BlockType::kI8:
      *dtype = Dtype::kI8;
      return true;
    case BlockType::kI16:
      *dtype = Dtype::kI16;
      return true;
    case BlockType::kI32:
      *dtype = Dtype::kI32;
      return true;
    case BlockType::kI64:
      *dtype = Dtype::kI64;
      return true;
    default:
      return false;
  }
}

[[noreturn]] void NotOffered(BlockType type, const char* what) {
  throw Error(Code::kUnimplemented, std::string(InfoOf(type).name) + " cannot be " + what);
}

void CheckSizes(BlockType type, uint64_t elements, uint64_t bytes) {
  if (BlockBytes(type, elements) != bytes) {
    throw Error(Code::kInvalidArgument, std::to_string(elements) + " values of " +
                                            std::string(InfoOf(type).name) + " are not " +
                                            std::to_string(bytes) + " bytes");
  }
}

}  // namespace

bool CanDequantize(BlockType type) { return FindBlockType(static_cast<uint32_t>(type)) != nullptr; }

bool CanQuantize(BlockType type) {
  switch (type) {
    case BlockType::kF32:
    case BlockType::kF16:
    case BlockType::kBf16:
      return true;
    default:
      break;
  }
  auto id = static_cast<uint32_t>(type);
  return id < kBlockTypeNumbers && internal::PortableKernels().quantize[id] != nullptr;
}

uint64_t BlockBytes(BlockType type, uint64_t elements) {
  const BlockTypeInfo& info = InfoOf(type);
  uint64_t bytes = 0;
  if (elements % info.block_elements != 0 ||
      __builtin_mul_overflow(elements / info.block_elements, info.block_bytes, &bytes)) {
    throw Error(
        Code::kInvalidArgument,
        std::to_string(elements) + " values are no whole blocks of " + std::string(info.name));
  }
  return bytes;
}

void Dequantize(BlockType type, std::span<const uint8_t> in, std::span<float> out) {
  Dequantize(type, in, out, CpuTier());
}

void Dequantize(BlockType type, std::span<const uint8_t> in, std::span<float> out, Tier tier) {
  CheckSizes(type, out.size(), in.size());
  const internal::Kernels& kernels = internal::KernelsOf(tier);
  if (type == BlockType::kF16) return kernels.f16_to_f32(in.data(), out.size(), out.data());
  if (type == BlockType::kBf16) return kernels.bf16_to_f32(in.data(), out.size(), out.data());
  Dtype dtype;
  if (IsPlain(type, &dtype)) return ToFloat(dtype, in.data(), out.size(), out.data());
  kernels.dequantize[static_cast<uint32_t>(type)](
      in.data(), out.size() / InfoOf(type).block_elements, out.data());
}

void Quantize(BlockType type, std::span<const float> in, std::span<uint8_t> out) {
  Quantize(type, in, out, CpuTier());
}

void Quantize(BlockType type, std::span<const float> in, std::span<uint8_t> out, Tier tier) {
  if (!CanQuantize(type)) NotOffered(type, "written");
  CheckSizes(type, in.size(), out.size());
  const internal::Kernels& kernels = internal::KernelsOf(tier);
  if (type == BlockType::kF16) return kernels.f32_to_f16(in.data(), in.size(), out.data());
  if (type == BlockType::kBf16) return kernels.f32_to_bf16(in.data(), in.size(), out.data());
  if (type == BlockType::kF32) return FromFloat(Dtype::kF32, in.data(), in.size(), out.data());
  if (!kernels.all_finite(in.data(), in.size())) {
    throw Error(Code::kInvalidArgument,
                "NaN or infinity cannot be stored as " + std::string(InfoOf(type).name));
  }
  kernels.quantize[static_cast<uint32_t>(type)](in.data(), in.size() / InfoOf(type).block_elements,
                                                out.data());
}

}  // namespace hearth::tensor

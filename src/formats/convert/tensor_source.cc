#include "formats/convert/tensor_source.h"

#include "base/error.h"

namespace hearth::convert {

uint64_t SourceTensor::elements() const {
  uint64_t product = 1;
  for (uint64_t dim : shape) product *= dim;
  return product;
}

uint64_t SourceTensor::bytes() const { return elements() * tensor::DtypeBits(dtype) / 8; }

std::unique_ptr<TensorSource> OpenTensorSource(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    throw Error(Code::kNotFound, path.string() + " does not exist");
  }
#define HEARTH_SOURCE(Name) \
  if (auto source = Open##Name##Source(path)) return source;
#include "formats/convert/sources.inc"
#undef HEARTH_SOURCE
  throw Error(Code::kInvalidArgument, path.string() + " is no checkpoint that can be read");
}

}  // namespace hearth::convert

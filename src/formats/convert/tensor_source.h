// What a conversion reads from: named tensors of plain element types, whatever file they come from.
//
// A new kind of source is one file that defines `std::unique_ptr<TensorSource>
// Open<Name>Source(path)` (null when the path is not of its kind) and one line in sources.inc. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tensor/dtype.h"

namespace hearth::convert {

struct SourceTensor {
  std::string name;
  tensor::Dtype dtype = tensor::Dtype::kF32;
  std::vector<uint64_t> shape;  // outermost first

  uint64_t elements() const;
  uint64_t bytes() const;
};

class TensorSource {
 public:
  virtual ~TensorSource() = default;
  virtual const std::vector<SourceTensor>& tensors() const = 0;
  // Fills `out` from byte `offset` of tensor `index`. Callers stay inside the tensor. Cheapest in
  // order.
  virtual void Read(size_t index, uint64_t offset, std::span<uint8_t> out) = 0;
  // What __metadata__ of a safetensors file says; empty elsewhere.
  virtual std::vector<std::pair<std::string, std::string>> metadata() const { return {}; }
  // The model's config.json where the file itself carries it; empty when it lies beside it.
  virtual std::string config_json() const { return {}; }
};

#define HEARTH_SOURCE(Name) \
  std::unique_ptr<TensorSource> Open##Name##Source(const std::filesystem::path& path);
#include "formats/convert/sources.inc"
#undef HEARTH_SOURCE

// Throws kInvalidArgument when no kind of source takes the path.
std::unique_ptr<TensorSource> OpenTensorSource(const std::filesystem::path& path);

}  // namespace hearth::convert

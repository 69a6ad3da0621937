// The tensors of one file, whatever its format: names, shapes, bytes and values, read by ranges.
//
// A format is one file of this folder that defines
// `std::unique_ptr<TensorFile> Open<Name>Tensors(std::unique_ptr<ByteSource>)` and one line in
// tensor_files.inc with the endings of its names. Opening reads the header only. Not thread-safe.
// Errors: those of the format's reader; kUnimplemented for values of a type without conversion.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/source/source.h"

namespace hearth::inspector {

struct TensorInfo {
  std::string name = {};
  std::string dtype = {};            // safetensors' or GGUF's word: "BF16", "Q4_K"
  std::vector<uint64_t> shape = {};  // outermost first; empty = a scalar
  // In the file, [begin, end); equal where the bytes do not lie in one piece (a packed checkpoint).
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t elements = 0;
  uint64_t bytes = 0;
  std::string same_as = {};  // an earlier name of the very same bytes (tied weights); else ""
};

class TensorFile {
 public:
  virtual ~TensorFile() = default;

  virtual std::string_view format() const = 0;  // "safetensors", "gguf", "pytorch"
  virtual const std::vector<TensorInfo>& tensors() const = 0;
  // Said of the file as a whole: __metadata__, general.*; "" keys never.
  virtual std::vector<std::pair<std::string, std::string>> metadata() const { return {}; }
  // Fills `out` from byte `offset` of tensor `index`; callers stay inside of it.
  virtual void ReadBytes(size_t index, uint64_t offset, std::span<uint8_t> out) = 0;
  // Values lie in blocks of this many bytes and elements (1 element for plain types).
  struct Block {
    uint64_t bytes = 1;
    uint64_t elements = 1;
  };
  virtual Block BlockOf(size_t index) const = 0;
  // False for values that have no order on a line (complex numbers) or no known encoding.
  virtual bool HasValues(size_t index) const = 0;
  // Whole blocks, as they were read, to fp32.
  virtual void Decode(size_t index, std::span<const uint8_t> blocks,
                      std::span<float> out) const = 0;
};

// By the ending of the name: does a file hold tensors that can be read here?
bool HoldsTensors(std::string_view path);
// Throws kUnimplemented for a path that HoldsTensors does not know.
std::unique_ptr<TensorFile> OpenTensorFile(std::unique_ptr<ByteSource> source,
                                           std::string_view path);

#define HEARTH_TENSOR_FILE(Name, ...) \
  std::unique_ptr<TensorFile> Open##Name##Tensors(std::unique_ptr<ByteSource> source);
#include "hub/inspector/weights/tensor_files.inc"
#undef HEARTH_TENSOR_FILE

// fp32 values [first, first + out.size()) of a tensor, whole blocks.
void ReadValues(TensorFile& file, size_t index, uint64_t first, std::span<float> out);

}  // namespace hearth::inspector

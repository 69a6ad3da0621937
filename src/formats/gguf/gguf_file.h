// GGUF files as tensors: one file or all parts of a split one, mapped.
//
// Opening reads the headers, by default all metadata included; a tensor's bytes are a view into the
// mapping. A split model is opened by any of its parts: the others are found by name
// ("...-00002-of-00003.gguf"), and the metadata is the first part's. Const functions are safe for
// concurrent use. Errors: kInvalidArgument; kNotFound for a missing part; kUnimplemented as
// ReadGgufHeader says and for tensors of an unknown type.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/gguf/gguf.h"
#include "formats/source/source_mapped.h"
#include "tensor/blocks.h"

namespace hearth {

// Keeps whole vocabularies, which the hub's facts do not need.
GgufLimits FullGgufLimits();
// Keeps what a model's layers need, one value a layer at most.
GgufLimits ModelGgufLimits();

class GgufFile {
 public:
  struct Entry {
    const GgufTensor* tensor;
    size_t part;
  };

  static GgufFile Open(const std::filesystem::path& path,
                       const GgufLimits& limits = FullGgufLimits());

  // Of the first part; its tensors are that part's only.
  const GgufHeader& header() const { return parts_.front()->header; }
  // The files.
  std::vector<const MappedSource*> Sources() const;
  // Of all parts, in file order.
  const std::vector<Entry>& entries() const { return entries_; }
  const Entry* Find(std::string_view name) const;

  std::span<const uint8_t> Bytes(const Entry& entry) const;
  // Values [first, first + out.size()), which must be whole blocks.
  void Dequantize(const Entry& entry, uint64_t first, std::span<float> out) const;

 private:
  struct Part {
    Part(const std::filesystem::path& path, const GgufLimits& limits);
    MappedSource source;
    GgufHeader header;
  };

  GgufFile() = default;
  void AddEntries();

  std::vector<std::unique_ptr<Part>> parts_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, size_t> index_;
};

// Outermost dimension first, as in safetensors.
std::vector<uint64_t> GgufShape(const GgufTensor& tensor);
// Throws kUnimplemented for a type that is not known.
tensor::BlockType GgufBlockType(const GgufTensor& tensor);
// "a-00002-of-00003.gguf" for ("a", 1, 3).
std::string GgufPartName(std::string_view stem, uint64_t part, uint64_t parts);

}  // namespace hearth

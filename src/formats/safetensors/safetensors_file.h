// Safetensors files as tensors: mapped, or streamed from any source of bytes.
//
// SafetensorsFile maps the file: opening reads the header only, a tensor's bytes are a view into
// the mapping, and memory grows by what is touched. SafetensorsReader copies ranges out of a
// ByteSource, for files that are not on this disk. Const functions of SafetensorsFile are safe for
// concurrent use; a SafetensorsReader follows its source's thread rule. Errors as safetensors.h
// says; kNotFound for a missing file.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/safetensors/safetensors.h"
#include "formats/safetensors/safetensors_slice.h"
#include "formats/source/source_mapped.h"

namespace hearth {

class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  const SafetensorsHeader& header() const { return header_; }
  const std::vector<SafetensorsTensor>& tensors() const { return header_.tensors; }
  // nullptr when no tensor has the name.
  const SafetensorsTensor* Find(std::string_view name) const;
  // Valid as long as this object lives. `tensor` is one of tensors().
  std::span<const uint8_t> Bytes(const SafetensorsTensor& tensor) const;
  const MappedSource& source() const { return source_; }
  // Maps all tensors' pages at once, for a program that will read them all. A hint; never fails.
  void Preload() const { source_.Preload(source_.bytes()); }
  // Copies a part of a tensor; see SliceShape for its shape.
  std::vector<uint8_t> Slice(const SafetensorsTensor& tensor,
                             std::span<const DimRange> ranges) const;

 private:
  MappedSource source_;
  SafetensorsHeader header_;
  std::unordered_map<std::string_view, size_t> index_;
};

class SafetensorsReader {
 public:
  // Borrows the source. Two small reads.
  explicit SafetensorsReader(ByteSource& source);

  const SafetensorsHeader& header() const { return header_; }
  // Fills `out` from byte `offset` of the tensor; throws kInvalidArgument past its end.
  void Read(const SafetensorsTensor& tensor, uint64_t offset, std::span<uint8_t> out);
  std::vector<uint8_t> Slice(const SafetensorsTensor& tensor, std::span<const DimRange> ranges);

 private:
  ByteSource& source_;
  SafetensorsHeader header_;
};

}  // namespace hearth

// The header of a safetensors file: 8 bytes of little-endian length, JSON, then the tensors' bytes.
//
// The verdict is that of the reference reader (the safetensors crate, 0.8.0), error by error: the
// ranges cover the data section without holes or overlap, in any order of names; every range has
// the size its dtype and shape say; nothing trails. What the format forbids and the reference
// accepts all the same is told in `warnings`. Format:
// https://github.com/huggingface/safetensors#format Pure and thread-safe. Errors: kInvalidArgument
// with the tensor's name where one is at fault, and the detail "kind": the reference's name of the
// error ("InvalidOffset", ...; see docs/formats).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "codec/json.h"
#include "formats/source/source.h"
#include "tensor/dtype.h"

namespace hearth {

// The reference's limit on the JSON part.
constexpr uint64_t kSafetensorsMaxHeaderBytes = 100'000'000;

struct SafetensorsTensor {
  std::string name;
  std::string dtype;  // as written: "F32", "BF16", "F8_E4M3", ...
  tensor::Dtype type = tensor::Dtype::kBool;
  std::vector<uint64_t> shape;  // outermost first; empty = a scalar
  uint64_t begin = 0;           // bytes from the start of the data section, [begin, end)
  uint64_t end = 0;
  uint64_t elements() const;
  uint64_t bytes() const { return end - begin; }
};

struct SafetensorsHeader {
  uint64_t data_offset = 0;                // where the data section starts in the file
  std::vector<SafetensorsTensor> tensors;  // by position in the data
  std::vector<std::pair<std::string, std::string>> metadata;  // __metadata__, in file order
  std::vector<std::pair<std::string, uint64_t>> parameters;   // per dtype, most parameters first
  uint64_t total_parameters = 0;
  std::vector<std::string> warnings;  // "tensor "a" appears twice; the last counts", at most 20

  // nullptr when no tensor has the name. By a scan: readers of many tensors keep their own index.
  const SafetensorsTensor* Find(std::string_view name) const;
};

// The reference's kind of a refusal, read from the Error; empty when there is none.
std::string_view SafetensorsErrorKind(const Error& error);

// Bytes of the file that hold length and JSON (8 + N), from the first 8 bytes.
uint64_t SafetensorsHeaderBytes(std::string_view first8, uint64_t file_size);

// `prefix_bytes` holds at least SafetensorsHeaderBytes() bytes of the file's start.
SafetensorsHeader ParseSafetensorsHeader(std::string_view prefix_bytes, uint64_t file_size);

// Both steps over a source; two small reads.
SafetensorsHeader ReadSafetensorsHeader(ByteSource& source);

// model.safetensors.index.json: which file of a sharded checkpoint holds which tensor.
struct SafetensorsIndex {
  std::vector<std::pair<std::string, std::string>> weight_map;  // tensor -> file, in file order
  std::vector<std::string> files;                               // distinct, sorted
  uint64_t total_size = 0;                                      // metadata.total_size; 0 = not said
  Json metadata;                                                // whole object; null when absent
};

// File names must be plain relative names (no "..", no absolute path).
SafetensorsIndex ParseSafetensorsIndex(std::string_view json);

}  // namespace hearth

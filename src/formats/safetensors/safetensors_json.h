// The JSON part of a safetensors header, read as the reference reader reads it.
//
// The reference hands the text to a JSON library that fills structures; files depend on what that
// accepts beyond the written format, so the same is accepted here: blanks around the object,
// unknown fields of any value, a tensor as a list [dtype, shape, offsets], a dtype as {"F32":
// null}, and a tensor's name twice, of which the last counts. Nesting goes 127 deep; integers
// beyond 64 bits are numbers, but no sizes. Pure. Errors: kInvalidArgument.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/dtype.h"

namespace hearth::internal {

struct RawTensor {
  std::string name;
  tensor::Dtype dtype = tensor::Dtype::kBool;
  std::vector<uint64_t> shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct RawHeader {
  std::vector<RawTensor> tensors;  // in the order of the text, each name once
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<std::string> warnings;  // what the format forbids and the reference accepts
};

// `text` must be valid UTF-8.
RawHeader ParseSafetensorsJson(std::string_view text);

}  // namespace hearth::internal

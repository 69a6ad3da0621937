// Which type each tensor of a GGUF file gets: the recipes of llama.cpp's quantiser.
//
// F32, F16, BF16, Q8_0 and Q4_0 give every matrix that type; Q4_K_M and Q5_K_M spend more bits
// where it pays (docs/formats/gguf.md has the table). Pure and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/block_types.h"

namespace hearth::convert {

struct Recipe {
  std::string_view name;
  uint32_t file_type;          // general.file_type
  tensor::BlockType matrices;  // of most matrices
  bool more_bits;              // the _M mixtures
};

std::span<const Recipe> Recipes();
// nullptr for an unknown name; letter case does not matter.
const Recipe* FindRecipe(std::string_view name);

struct RecipeModel {
  uint64_t layers = 0;
  bool has_output = false;    // a matrix of its own turns states into logits
  bool wide_grouped = false;  // 80 layers and fewer key heads than heads: the 70B models
};

struct RecipeTensor {
  std::string_view name;  // GGUF name
  std::optional<uint64_t> layer;
  std::span<const uint64_t> shape;  // outermost first
};

tensor::BlockType TypeFor(const Recipe& recipe, const RecipeModel& model,
                          const RecipeTensor& tensor);

}  // namespace hearth::convert

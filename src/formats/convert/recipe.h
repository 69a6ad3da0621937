// Which type each tensor of a GGUF file gets: the recipes of llama.cpp's quantiser.
//
// Most give every matrix one type; the mixtures (Q2_K, Q3_K_M, Q4_K_S, ...) spend more bits where
// it pays (docs/formats/gguf.md has the table). Pure and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/block_types.h"

namespace hearth::convert {

struct RecipeModel {
  uint64_t layers = 0;
  bool has_output = false;    // a matrix of its own turns states into logits
  bool wide_grouped = false;  // 80 layers and fewer key heads than heads: the 70B models
  uint64_t heads_per_key = 1;
};

// What a matrix of a layer is for, as far as the mixtures tell it apart. Values: also those of a
// fused projection.
enum class MatrixRole { kValues, kDown, kAttentionOutput, kOther };

struct MatrixPlace {
  MatrixRole role = MatrixRole::kOther;
  uint64_t layer = 0;
};

struct Recipe {
  std::string_view name;
  uint32_t file_type;          // general.file_type
  tensor::BlockType matrices;  // of most matrices
  // Of matrices that may get another type; nullptr: none does.
  tensor::BlockType (*mixture)(const RecipeModel&, const MatrixPlace&) = nullptr;
};

std::span<const Recipe> Recipes();
// nullptr for an unknown name; letter case does not matter.
const Recipe* FindRecipe(std::string_view name);

struct RecipeTensor {
  std::string_view name;  // GGUF name
  std::optional<uint64_t> layer;
  std::span<const uint64_t> shape;  // outermost first
};

tensor::BlockType TypeFor(const Recipe& recipe, const RecipeModel& model,
                          const RecipeTensor& tensor);

}  // namespace hearth::convert

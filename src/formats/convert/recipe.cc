#include "formats/convert/recipe.h"

#include "base/bytes.h"

namespace hearth::convert {
namespace {

using tensor::BlockType;

// The first and the last eighth of the layers, and every third between.
bool WantsMoreBits(uint64_t layer, uint64_t layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

// Q4_K_M and Q5_K_M.
template <BlockType kBase>
BlockType Medium(const RecipeModel& model, const MatrixPlace& place) {
  const bool costly = place.role == MatrixRole::kValues || place.role == MatrixRole::kDown;
  return costly && WantsMoreBits(place.layer, model.layers) ? BlockType::kQ6_K : kBase;
}

BlockType Q4_K_S(const RecipeModel& model, const MatrixPlace& place) {
  const bool more = place.role == MatrixRole::kValues
                        ? place.layer < 4
                        : place.role == MatrixRole::kDown && place.layer < model.layers / 8;
  return more ? BlockType::kQ5_K : BlockType::kQ4_K;
}

BlockType Q3_K_M(const RecipeModel& model, const MatrixPlace& place) {
  switch (place.role) {
    case MatrixRole::kValues:
      return place.layer < 2 ? BlockType::kQ5_K : BlockType::kQ4_K;
    case MatrixRole::kDown:
      return place.layer < model.layers / 16 ? BlockType::kQ5_K : BlockType::kQ4_K;
    case MatrixRole::kAttentionOutput:
      return BlockType::kQ4_K;
    default:
      return BlockType::kQ3_K;
  }
}

BlockType Q3_K_L(const RecipeModel&, const MatrixPlace& place) {
  return place.role == MatrixRole::kOther ? BlockType::kQ3_K : BlockType::kQ5_K;
}

BlockType Q2_K(const RecipeModel& model, const MatrixPlace& place) {
  if (place.role == MatrixRole::kOther) return BlockType::kQ2_K;
  const bool grouped = place.role == MatrixRole::kValues && model.heads_per_key >= 4;
  return grouped ? BlockType::kQ4_K : BlockType::kQ3_K;
}

BlockType Iq4Nl(const RecipeModel& model, const MatrixPlace& place) {
  const bool more = place.role == MatrixRole::kValues
                        ? model.heads_per_key >= 4
                        : place.role == MatrixRole::kDown && place.layer < model.layers / 8;
  return more ? BlockType::kQ5_K : BlockType::kIq4Nl;
}

constexpr Recipe kRecipes[] = {
    {"BF16", 32, BlockType::kBf16},
    {"F16", 1, BlockType::kF16},
    {"F32", 0, BlockType::kF32},
    {"IQ4_NL", 25, BlockType::kIq4Nl, Iq4Nl},
    {"Q2_K", 10, BlockType::kQ2_K, Q2_K},
    {"Q3_K_L", 13, BlockType::kQ3_K, Q3_K_L},
    {"Q3_K_M", 12, BlockType::kQ3_K, Q3_K_M},
    {"Q3_K_S", 11, BlockType::kQ3_K},
    {"Q4_0", 2, BlockType::kQ4_0},
    {"Q4_1", 3, BlockType::kQ4_1},
    {"Q4_K_M", 15, BlockType::kQ4_K, Medium<BlockType::kQ4_K>},
    {"Q4_K_S", 14, BlockType::kQ4_K, Q4_K_S},
    {"Q5_0", 8, BlockType::kQ5_0},
    {"Q5_1", 9, BlockType::kQ5_1},
    {"Q5_K_M", 17, BlockType::kQ5_K, Medium<BlockType::kQ5_K>},
    {"Q5_K_S", 16, BlockType::kQ5_K},
    {"Q6_K", 18, BlockType::kQ6_K},
    {"Q8_0", 7, BlockType::kQ8_0},
};

bool Has(std::string_view name, std::string_view part) {
  return name.find(part) != std::string_view::npos;
}

// Vectors, norms and the small tables that are added to states stay exact.
bool StaysExact(const RecipeTensor& tensor) {
  return tensor.shape.size() < 2 || !tensor.name.ends_with("weight") ||
         tensor.name.ends_with("_norm.weight") || tensor.name == "position_embd.weight" ||
         tensor.name == "token_types.weight" || tensor.name == "attn_rel_b.weight";
}

MatrixRole RoleOf(std::string_view name) {
  if (Has(name, "attn_v.weight") || Has(name, "attn_qkv.weight")) return MatrixRole::kValues;
  if (Has(name, "ffn_down")) return MatrixRole::kDown;
  if (Has(name, "attn_output.weight")) return MatrixRole::kAttentionOutput;
  return MatrixRole::kOther;
}

bool IsPlain(BlockType type) { return tensor::InfoOf(type).block_elements == 1; }

bool Fits(BlockType type, uint64_t columns) {
  return columns % tensor::InfoOf(type).block_elements == 0;
}

// Rows that are no whole blocks get the nearest type whose blocks they fill.
BlockType Fitted(BlockType type, uint64_t columns) {
  if (Fits(type, columns)) return type;
  BlockType smaller = type;
  if (type == BlockType::kQ2_K || type == BlockType::kQ3_K) smaller = BlockType::kQ4_0;
  if (type == BlockType::kQ4_K) smaller = BlockType::kQ5_0;
  if (type == BlockType::kQ5_K) smaller = BlockType::kQ5_1;
  if (type == BlockType::kQ6_K) smaller = BlockType::kQ8_0;
  return Fits(smaller, columns) ? smaller : BlockType::kF16;
}

}  // namespace

std::span<const Recipe> Recipes() { return kRecipes; }

const Recipe* FindRecipe(std::string_view name) {
  for (const Recipe& recipe : kRecipes) {
    if (AsciiEqualsIgnoreCase(recipe.name, name)) return &recipe;
  }
  return nullptr;
}

BlockType TypeFor(const Recipe& recipe, const RecipeModel& model, const RecipeTensor& tensor) {
  if (StaysExact(tensor)) return BlockType::kF32;
  BlockType type = recipe.matrices;
  if (IsPlain(type)) return type;
  const uint64_t columns = tensor.shape.back();
  const bool makes_logits =
      tensor.name == "output.weight" || (!model.has_output && tensor.name == "token_embd.weight");
  if (makes_logits) {
    if (!Fits(type, columns)) {
      type = BlockType::kQ8_0;
    } else if (type != BlockType::kQ8_0) {
      type = BlockType::kQ6_K;
    }
    return Fitted(type, columns);
  }
  const MatrixPlace place{RoleOf(tensor.name), tensor.layer.value_or(0)};
  if (recipe.mixture != nullptr && tensor.layer) type = recipe.mixture(model, place);
  if (place.role == MatrixRole::kValues && model.wide_grouped &&
      (type == BlockType::kQ3_K || type == BlockType::kQ4_K)) {
    type = BlockType::kQ5_K;
  }
  return Fitted(type, columns);
}

}  // namespace hearth::convert

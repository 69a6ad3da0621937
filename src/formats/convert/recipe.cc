#include "formats/convert/recipe.h"

#include "base/bytes.h"

namespace hearth::convert {
namespace {

using tensor::BlockType;

constexpr Recipe kRecipes[] = {
    {"BF16", 32, BlockType::kBf16, false},  {"F16", 1, BlockType::kF16, false},
    {"F32", 0, BlockType::kF32, false},     {"Q4_0", 2, BlockType::kQ4_0, false},
    {"Q4_K_M", 15, BlockType::kQ4_K, true}, {"Q5_K_M", 17, BlockType::kQ5_K, true},
    {"Q6_K", 18, BlockType::kQ6_K, false},  {"Q8_0", 7, BlockType::kQ8_0, false},
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

// The first and the last eighth of the layers, and every third between.
bool WantsMoreBits(uint64_t layer, uint64_t layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

bool IsPlain(BlockType type) { return tensor::InfoOf(type).block_elements == 1; }

bool Fits(BlockType type, uint64_t columns) {
  return columns % tensor::InfoOf(type).block_elements == 0;
}

// Rows that are no whole blocks get the nearest type whose blocks they fill.
BlockType Fitted(BlockType type, uint64_t columns) {
  if (Fits(type, columns)) return type;
  BlockType smaller = type;
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
  const bool values = Has(tensor.name, "attn_v.weight") || Has(tensor.name, "attn_qkv.weight");
  const bool down = Has(tensor.name, "ffn_down");
  const uint64_t layer = tensor.layer.value_or(0);
  if (recipe.more_bits && (values || down) && WantsMoreBits(layer, model.layers)) {
    type = BlockType::kQ6_K;
  }
  if (values && model.wide_grouped && type == BlockType::kQ4_K) type = BlockType::kQ5_K;
  return Fitted(type, columns);
}

}  // namespace hearth::convert

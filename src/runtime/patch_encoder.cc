#include "runtime/patch_encoder.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>

#include "base/error.h"
#include "runtime/checkpoint_weights.h"
#include "runtime/layers.h"

namespace hearth::runtime {
namespace {

using tensor::Builder;
using tensor::TokenInput;
using tensor::Value;
using tensor::Weight;
using tensor::WeightSet;
using tensor::WeightView;

// Names that no checkpoint has.
constexpr char kKinds[] = "embeddings.(row kinds)", kPositions[] = "embeddings.(row positions)";
constexpr char kProjection[] = "embeddings.patch_embeddings.projection";

void CheckSize(const WeightSet& weights, Weight weight, uint64_t rows, uint64_t columns) {
  const WeightView& view = weights.Shape(weight);
  if (view.rows == rows && view.columns == columns) return;
  throw Error(Code::kInvalidArgument,
              "the tensor " + weights.Name(weight) + " is " + std::to_string(view.rows) + " x " +
                  std::to_string(view.columns) + " where " + std::to_string(rows) + " x " +
                  std::to_string(columns) + " belong");
}

// One row per kind of row, absent weights as zeros.
void AddKinds(const std::vector<Weight>& rows, uint32_t columns, WeightSet* weights) {
  auto values = std::make_shared<float[]>(rows.size() * columns);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i]) continue;
    std::vector<float> row = tensor::ToFloats(weights->View(rows[i]));
    std::copy(row.begin(), row.end(), &values[i * columns]);
  }
  WeightView view{rows.size(), columns};
  view.data = reinterpret_cast<const uint8_t*>(values.get());
  weights->Keep(std::move(values));
  weights->Add(kKinds, view);
}

}  // namespace

ModelShape PatchEncoderShape(const ModelConfig& config, const PatchGrid& patches) {
  CheckPatchGrid(patches);
  ModelShape shape;
  shape.hidden = config.RequireCount({"hidden_size"}, 1u << 20);
  shape.layers = config.RequireCount({"num_hidden_layers"}, 4096);
  shape.heads = shape.kv_heads = config.RequireCount({"num_attention_heads"}, 65536);
  shape.head_dim = config.Count({"head_dim"}, shape.hidden / std::max(shape.heads, 1u));
  CheckHeads(shape);
  shape.patches = patches;
  shape.max_tokens = patches.tokens();
  return shape;
}

void DerivePatchTables(const ModelConfig& config, const PatchGrid& patches, std::string_view prefix,
                       WeightSet* weights) {
  ModelContext context(config, *weights, std::string(prefix), Head::kNone);
  uint32_t hidden = PatchEncoderShape(config, patches).hidden;
  std::vector<Weight> kinds = {context.Maybe(std::string(kProjection) + ".bias"),
                               context.Need("embeddings.cls_token")};
  if (patches.special_rows > 1) kinds.push_back(context.Need("embeddings.distillation_token"));
  for (Weight kind : kinds) {
    if (kind) CheckSize(*weights, kind, 1, hidden);
  }
  AddKinds(kinds, hidden, weights);
  Weight positions = context.Need("embeddings.position_embeddings");
  CheckSize(*weights, positions, patches.tokens(), hidden);
  std::vector<uint64_t> order(patches.tokens());
  std::iota(order.begin(), order.end(), uint64_t{0});
  if (patches.special_rows > 1) std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  AddReordered(kPositions, weights->View(positions), std::move(order), weights);
}

Value PatchEncoderStates(const ModelContext& context, const ModelShape& shape, Builder& b) {
  const ModelConfig& config = context.config();
  float epsilon = config.Real({"layer_norm_eps"}, 1e-12f);
  auto norm = [&](Value x, const std::string& name) {
    return b.Norm(x, LayerNorm(context, name, epsilon));
  };
  tensor::AttentionOptions attention;
  attention.heads = attention.kv_heads = shape.heads;
  attention.head_dim = shape.head_dim;
  attention.scale = 1 / std::sqrt(static_cast<float>(shape.head_dim));
  tensor::Activation activation = ParseActivation(config.Text({"hidden_act"}, "gelu"));
  Value x = b.Linear(b.Features(shape.patches.patch_values()),
                     context.Need(std::string(kProjection) + ".weight"));
  x = b.Add(x, b.Embed(context.Need(kKinds), TokenInput::kTypes));
  x = b.Add(x, b.Embed(context.Need(kPositions), TokenInput::kPositions));
  for (uint32_t i = 0; i < shape.layers; ++i) {
    std::string at = "encoder.layer." + std::to_string(i) + ".";
    Value before = norm(x, at + "layernorm_before");
    Value q = context.Linear(b, before, at + "attention.attention.query");
    Value k = context.Linear(b, before, at + "attention.attention.key");
    Value v = context.Linear(b, before, at + "attention.attention.value");
    Value mixed = b.Attention(q, k, v, attention);
    x = b.Add(context.Linear(b, mixed, at + "attention.output.dense"), x);
    Value after = norm(x, at + "layernorm_after");
    Value up = b.Activate(context.Linear(b, after, at + "intermediate.dense"), activation);
    x = b.Add(context.Linear(b, up, at + "output.dense"), x);
  }
  return norm(x, "layernorm");
}

}  // namespace hearth::runtime

// ViT (arXiv 2010.11929) and DeiT (arXiv 2012.12877), which has a second special row: transformers
// of pictures.
#include <string>

#include "base/error.h"
#include "runtime/architecture.h"
#include "runtime/layers.h"
#include "runtime/patch_encoder.h"

namespace hearth::runtime {
namespace {

using tensor::Builder;
using tensor::Pooling;
using tensor::Value;

// "image_size" and "patch_size": one number, or height and width.
std::pair<uint32_t, uint32_t> Sides(const ModelConfig& config, std::string_view key,
                                    uint32_t fallback) {
  constexpr uint32_t kMostPixels = 1u << 14;
  const Json* value = config.Find({key});
  const Json::Array* pair = value != nullptr ? value->AsArray() : nullptr;
  if (pair == nullptr) {
    uint32_t side = config.Count({key}, fallback, kMostPixels);
    return {side, side};
  }
  auto side = [&](size_t i) -> uint32_t {
    auto count = i < pair->size() ? (*pair)[i].AsUint() : std::nullopt;
    if (pair->size() != 2 || !count || *count > kMostPixels) {
      throw Error(Code::kInvalidArgument, "config.json: \"" + std::string(key) +
                                              "\" must be a whole number up to " +
                                              std::to_string(kMostPixels) + " or two");
    }
    return static_cast<uint32_t>(*count);
  };
  return {side(0), side(1)};
}

PatchGrid Patches(const ModelConfig& config) {
  PatchGrid grid;
  grid.channels = config.Count({"num_channels"}, 3u, 64);
  std::tie(grid.height, grid.width) = Sides(config, "image_size", 224);
  std::tie(grid.patch_height, grid.patch_width) = Sides(config, "patch_size", 16);
  grid.row_stride = grid.patch_height, grid.column_stride = grid.patch_width;
  grid.special_rows = config.model_type() == "deit" ? 2 : 1;
  return grid;
}

ModelShape Shape(const ModelConfig& config) {
  ModelShape shape = PatchEncoderShape(config, Patches(config));
  shape.input = ModelInput::kImage;
  return shape;
}

Value Classify(const ModelContext& context, Builder& b, Value states) {
  Value first = b.Pool(states, Pooling::kFirst);
  if (!context.Maybe("cls_classifier.weight")) return context.Linear(b, first, "classifier");
  Value last = b.Pool(states, Pooling::kLast);
  Value sum = b.Add(context.Linear(b, first, "cls_classifier"),
                    context.Linear(b, last, "distillation_classifier"));
  return b.Scale(sum, 0.5f);
}

Value Forward(const ModelContext& context, Builder& b) {
  Value states = PatchEncoderStates(context, Shape(context.config()), b);
  if (context.head() == Head::kSequenceClassification) {
    b.Output("logits", Classify(context, b, states));
  } else if (context.head() != Head::kStates) {
    b.Output("hidden", states);
    if (context.Maybe("pooler.dense.weight")) {
      tensor::Activation activation =
          ParseActivation(context.config().Text({"pooler_act"}, "tanh"));
      Value first = b.Pool(states, Pooling::kFirst);
      b.Output("pooled", b.Activate(context.Linear(b, first, "pooler.dense"), activation));
    }
  }
  return states;
}

void Derive(const ModelConfig& config, std::string_view prefix, tensor::WeightSet* weights) {
  DerivePatchTables(config, Patches(config), prefix, weights);
}

constexpr Architecture kArchitectures[] = {
    {"deit", "deit.", Shape, Forward, Derive},
    {"vit", "vit.", Shape, Forward, Derive},
};

}  // namespace

std::span<const Architecture> VitFamily() { return kArchitectures; }

}  // namespace hearth::runtime

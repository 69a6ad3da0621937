// AST, the Audio Spectrogram Transformer (arXiv 2104.01778): a distilled ViT over overlapping
// patches of a mel spectrogram, whose rows are the mel bins and whose columns are the frames.
#include <string>

#include "runtime/architecture.h"
#include "runtime/layers.h"
#include "runtime/patch_encoder.h"

namespace hearth::runtime {
namespace {

using tensor::Builder;
using tensor::Pooling;
using tensor::Value;

PatchGrid Patches(const ModelConfig& config) {
  PatchGrid grid;
  grid.channels = 1;
  grid.height = config.Count({"num_mel_bins"}, 128u, 4096);
  grid.width = config.Count({"max_length"}, 1024u, 1u << 20);
  grid.patch_height = grid.patch_width = config.Count({"patch_size"}, 16u, 4096);
  grid.row_stride = config.Count({"frequency_stride"}, 10u, 4096);
  grid.column_stride = config.Count({"time_stride"}, 10u, 4096);
  grid.special_rows = 2;
  return grid;
}

ModelShape Shape(const ModelConfig& config) {
  ModelShape shape = PatchEncoderShape(config, Patches(config));
  shape.input = ModelInput::kSound;
  return shape;
}

Value Forward(const ModelContext& context, Builder& b) {
  Value states = PatchEncoderStates(context, Shape(context.config()), b);
  if (context.head() == Head::kSequenceClassification) {
    Value both = b.Add(b.Pool(states, Pooling::kFirst), b.Pool(states, Pooling::kLast));
    float epsilon = context.config().Real({"layer_norm_eps"}, 1e-12f);
    Value normed = b.Norm(b.Scale(both, 0.5f), LayerNorm(context, "classifier.layernorm", epsilon));
    b.Output("logits", context.Linear(b, normed, "classifier.dense"));
  } else if (context.head() != Head::kStates) {
    b.Output("hidden", states);
  }
  return states;
}

void Derive(const ModelConfig& config, std::string_view prefix, tensor::WeightSet* weights) {
  DerivePatchTables(config, Patches(config), prefix, weights);
}

constexpr Architecture kArchitectures[] = {
    {"audio-spectrogram-transformer", "audio_spectrogram_transformer.", Shape, Forward, Derive},
};

}  // namespace

std::span<const Architecture> AudioSpectrogramFamily() { return kArchitectures; }

}  // namespace hearth::runtime

// Conversions: weights in the formats of runtimes, none in those that trainers write.
#include <algorithm>

#include "base/bytes.h"
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

bool IsNative(const WeightFile& file) {
  switch (file.format) {
    case WeightFormat::kSafetensors:
    case WeightFormat::kTorch:
    case WeightFormat::kPickle:
    case WeightFormat::kKeras:
    case WeightFormat::kSavedModel:
    case WeightFormat::kArchive:
      return true;
    default:
      return false;
  }
}

// GGUF: blocks make it quantised; a file without tensors is a vocabulary.
bool IsFloatGguf(const WeightFile& file) {
  if (file.tensors.empty()) return false;
  return std::all_of(file.tensors.begin(), file.tensors.end(), [](const InspectedTensor& tensor) {
    std::string type = AsciiLower(tensor.dtype);
    return type == "f32" || type == "f16" || type == "bf16" || type == "f64" ||
           type.starts_with("i");
  });
}

// MLX writes its name into the header.
bool IsMlx(const WeightFile& file) {
  const Json* format = file.Metadata("format");
  return file.format == WeightFormat::kSafetensors && format != nullptr &&
         format->AsString() != nullptr && *format->AsString() == "mlx";
}

}  // namespace

void FindConverted(const Survey& survey, Classification* result) {
  if (survey.type() == "space" || survey.type() == "dataset" || result->Is("adapter")) return;
  const std::vector<WeightFile>& weights = survey.weights();
  bool mlx = !weights.empty() && std::all_of(weights.begin(), weights.end(), IsMlx);
  if (!mlx && std::any_of(weights.begin(), weights.end(), IsNative)) return;
  if (result->Is("quantized")) return;
  // A file of no known form may hold the weights that it was converted from.
  Level best = survey.UnknownFile().empty() ? Level::kProved : Level::kInferred;
  for (const WeightFile& file : weights) {
    std::string name(FormatName(file.format));
    if (mlx) {
      // MLX can train too.
      result->Add("converted", Level::kInferred,
                  At(file.path, "__metadata__ format", "written by MLX"));
    } else if (file.format == WeightFormat::kGguf) {
      if (!file.verified || !IsFloatGguf(file)) continue;
      result->Add("converted", best,
                  At(file.path, "", "GGUF in full precision, and no weights of a trainer"));
    } else if (IsExport(file.format)) {
      // An ending alone says nothing.
      if (!file.verified) continue;
      result->Add("converted", best, At(file.path, "", name + ", and no weights of a trainer"));
    } else {
      // tf_model.h5 and flax_model.msgpack are conversions mostly; some models were born so.
      result->Add("converted", Level::kInferred,
                  At(file.path, "", name + ", and no other weights"));
      name = std::string(FormatName(file.format));
    }
    KindFinding* kind = const_cast<KindFinding*>(result->Find("converted"));
    if (kind->facts.Find("format") == nullptr) kind->facts.Set("format", mlx ? "mlx" : name);
  }
}

}  // namespace hearth::inspector

#include "runtime/layers.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/error.h"

namespace hearth::runtime {
namespace {

using tensor::Activation;
using tensor::RopeOptions;

constexpr double kTwoPi = 2 * M_PI;

// The object that describes a layer type's rotary positions; absent in old configurations.
const Json* RopeObject(const ModelConfig& config, std::string_view layer_type) {
  const Json* rope = config.Find({"rope_parameters", "rope_scaling"});
  if (rope == nullptr || !rope->is_object()) return nullptr;
  const Json* nested = rope->Find(layer_type);
  return nested != nullptr && nested->is_object() ? nested : rope;
}

struct RopeSettings {
  const ModelConfig& config;
  const Json* object;

  std::optional<double> Find(std::string_view key) const {
    const Json* value = object != nullptr ? object->Find(key) : nullptr;
    return value != nullptr ? value->AsDouble() : std::nullopt;
  }
  double Need(std::string_view key) const {
    auto value = Find(key);
    if (!value) {
      throw Error(Code::kInvalidArgument,
                  "config.json: the rotary positions lack \"" + std::string(key) + "\"");
    }
    return *value;
  }
  std::vector<double> List(std::string_view key, size_t count) const {
    const Json* value = object->Find(key);
    const Json::Array* items = value != nullptr ? value->AsArray() : nullptr;
    if (items == nullptr || items->size() != count) {
      throw Error(Code::kInvalidArgument, "config.json: \"" + std::string(key) + "\" must hold " +
                                              std::to_string(count) + " numbers");
    }
    std::vector<double> list;
    for (const Json& item : *items) list.push_back(item.AsDouble().value_or(1));
    return list;
  }
  double OriginalLength() const {
    if (auto value = Find("original_max_position_embeddings")) return *value;
    return config.Count({"original_max_position_embeddings", "max_position_embeddings"}, 2048u,
                        UINT32_MAX);
  }
};

std::vector<double> PlainFrequencies(double theta, uint32_t dims) {
  std::vector<double> frequencies;
  for (uint32_t i = 0; i < dims; i += 2) {
    frequencies.push_back(1.0 / std::pow(theta, static_cast<double>(i) / dims));
  }
  return frequencies;
}

void ScaleLlama3(const RopeSettings& settings, std::vector<double>* frequencies) {
  double factor = settings.Need("factor"), low = settings.Need("low_freq_factor"),
         high = settings.Need("high_freq_factor"), length = settings.OriginalLength();
  for (double& frequency : *frequencies) {
    double wavelength = kTwoPi / frequency;
    if (wavelength < length / high) continue;
    if (wavelength > length / low) {
      frequency /= factor;
      continue;
    }
    double smooth = (length / wavelength - low) / (high - low);
    frequency = (1 - smooth) * frequency / factor + smooth * frequency;
  }
}

// arXiv 2309.00071: the fast-turning dimensions stay, the slow ones are interpolated, a ramp
// between.
void ScaleYarn(const RopeSettings& settings, double theta, uint32_t dims,
               std::vector<double>* frequencies, float* magnitude) {
  double length = settings.OriginalLength();
  double factor = settings.Find("factor").value_or(
      settings.config.Count({"max_position_embeddings"}, 2048u, UINT32_MAX) / length);
  auto mscale_of = [](double scale, double mscale) {
    return scale <= 1 ? 1.0 : 0.1 * mscale * std::log(scale) + 1.0;
  };
  auto mscale = settings.Find("mscale"), all = settings.Find("mscale_all_dim");
  double attention = settings.Find("attention_factor")
                         .value_or(mscale && all && *mscale != 0 && *all != 0
                                       ? mscale_of(factor, *mscale) / mscale_of(factor, *all)
                                       : mscale_of(factor, 1));
  auto dimension = [&](double turns) {
    return dims * std::log(length / (turns * kTwoPi)) / (2 * std::log(theta));
  };
  const Json* truncate = settings.object->Find("truncate");
  bool whole = truncate == nullptr || truncate->AsBool().value_or(true);
  double low = dimension(settings.Find("beta_fast").value_or(32)),
         high = dimension(settings.Find("beta_slow").value_or(1));
  if (whole) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0), high = std::min(high, dims - 1.0);
  if (low == high) high += 0.001;
  for (size_t i = 0; i < frequencies->size(); ++i) {
    double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    double& frequency = (*frequencies)[i];
    frequency = frequency / factor * ramp + frequency * (1 - ramp);
  }
  *magnitude = static_cast<float>(attention);
}

void ScaleLongRope(const RopeSettings& settings, const std::vector<double>& plain,
                   RopeOptions* options) {
  double length = settings.OriginalLength();
  if (!(length >= 1 && length <= UINT32_MAX)) {
    throw Error(Code::kInvalidArgument, "config.json: impossible original_max_position_embeddings");
  }
  double longest = settings.config.Count({"max_position_embeddings"}, 2048u, UINT32_MAX);
  double factor = settings.Find("factor").value_or(longest / length);
  double attention = factor <= 1 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(length));
  options->magnitude = static_cast<float>(settings.Find("attention_factor").value_or(attention));
  options->long_after = static_cast<uint32_t>(length);
  auto narrow = settings.List("short_factor", plain.size());
  auto wide = settings.List("long_factor", plain.size());
  for (size_t i = 0; i < plain.size(); ++i) {
    options->inverse_frequencies.push_back(static_cast<float>(plain[i] / narrow[i]));
    options->long_inverse_frequencies.push_back(static_cast<float>(plain[i] / wide[i]));
  }
  if (narrow == wide) options->long_inverse_frequencies.clear();
}

}  // namespace

Activation ParseActivation(std::string_view name) {
  constexpr std::pair<std::string_view, Activation> kNames[] = {
      {"gelu", Activation::kGelu},
      {"gelu_new", Activation::kGeluTanh},
      {"gelu_fast", Activation::kGeluTanh},
      {"gelu_pytorch_tanh", Activation::kGeluTanh},
      {"gelu_python_tanh", Activation::kGeluTanh},
      {"gelu_python", Activation::kGelu},
      {"quick_gelu", Activation::kQuickGelu},
      {"relu", Activation::kRelu},
      {"relu2", Activation::kReluSquared},
      {"silu", Activation::kSilu},
      {"swish", Activation::kSilu},
      {"sigmoid", Activation::kSigmoid},
      {"tanh", Activation::kTanh},
      {"linear", Activation::kNone},
  };
  for (auto [known, activation] : kNames) {
    if (known == name) return activation;
  }
  throw Error(Code::kUnimplemented,
              "unknown activation \"" + std::string(name.substr(0, 40)) + "\" in config.json");
}

RopeOptions ParseRope(const ModelConfig& config, uint32_t head_dim, std::string_view layer_type) {
  RopeSettings settings{config, RopeObject(config, layer_type)};
  double theta = settings.Find("rope_theta").value_or(config.Real({"rope_theta"}, 10000.0f));
  double share = settings.Find("partial_rotary_factor")
                     .value_or(config.Real({"partial_rotary_factor", "rotary_pct"}, 1.0f));
  const bool is_share = share > 0 && share <= 1;
  auto dims = is_share ? static_cast<uint32_t>(head_dim * share) : 0;
  if (!(theta > 0) || dims == 0) {
    throw Error(Code::kInvalidArgument, "config.json: impossible rotary positions");
  }
  RopeOptions options;
  options.head_dim = head_dim;
  std::vector<double> frequencies = PlainFrequencies(theta, dims);
  std::string type = "default";
  if (settings.object != nullptr) {
    const Json* named = settings.object->Find("rope_type");
    if (named == nullptr) named = settings.object->Find("type");
    if (named != nullptr && named->AsString() != nullptr) type = *named->AsString();
  }
  if (type == "longrope" || type == "su") {
    ScaleLongRope(settings, frequencies, &options);
    return options;
  }
  if (type == "linear") {
    for (double& frequency : frequencies) frequency /= settings.Need("factor");
  } else if (type == "llama3") {
    ScaleLlama3(settings, &frequencies);
  } else if (type == "yarn") {
    ScaleYarn(settings, theta, dims, &frequencies, &options.magnitude);
  } else if (type == "dynamic") {
    options.dynamic_factor = settings.Need("factor");
    if (!(options.dynamic_factor >= 1 && options.dynamic_factor <= 1e6))
      throw Error(Code::kInvalidArgument,
                  "config.json: \"factor\" of rotary positions is outside of its range");
    options.dynamic_base = theta;
    // One pair has nothing to spread.
    if (dims > 2)
      options.dynamic_after = config.Count({"max_position_embeddings"}, 2048u, UINT32_MAX);
  } else if (type != "default") {
    throw Error(Code::kUnimplemented, "unknown rope_type \"" + type.substr(0, 40) + "\"");
  }
  for (double frequency : frequencies) {
    options.inverse_frequencies.push_back(static_cast<float>(frequency));
  }
  return options;
}

uint32_t LongestText(const ModelConfig& config) {
  uint32_t trained = config.Count({"max_position_embeddings"}, 2048u, UINT32_MAX);
  const Json* rope = config.Find({"rope_parameters", "rope_scaling"});
  if (rope == nullptr || !rope->is_object()) return trained;
  const Json* type = rope->Find("rope_type");
  if (type == nullptr) type = rope->Find("type");
  const Json* factor = rope->Find("factor");
  if (type == nullptr || *type != Json("dynamic") || factor == nullptr) return trained;
  double most = trained * std::clamp(factor->AsDouble().value_or(1), 1.0, 1e6);
  return static_cast<uint32_t>(std::min<double>(most, UINT32_MAX));
}

std::string LayerType(const ModelConfig& config, uint32_t layer) {
  const Json* types = config.Find({"layer_types"});
  const Json::Array* list = types != nullptr ? types->AsArray() : nullptr;
  if (list == nullptr || layer >= list->size()) return "";
  const std::string* type = (*list)[layer].AsString();
  return type != nullptr ? *type : "";
}

void CheckHeads(const ModelShape& shape) {
  if (shape.heads == 0 || shape.kv_heads == 0 || shape.heads % shape.kv_heads != 0 ||
      shape.head_dim == 0) {
    throw Error(Code::kInvalidArgument, "config.json: impossible numbers of attention heads");
  }
}

tensor::NormOptions LayerNorm(const ModelContext& context, const std::string& name, float epsilon) {
  tensor::NormOptions options;
  options.weight = context.Need(name + ".weight");
  options.bias = context.Maybe(name + ".bias");
  options.epsilon = epsilon;
  return options;
}

void DecoderOutput(const ModelContext& context, tensor::Builder& b, tensor::Value x,
                   const VocabularyLayer& vocabulary) {
  switch (context.head()) {
    case Head::kCausalLm:
    case Head::kMaskedLm: {
      tensor::Weight weight = context.Maybe(vocabulary.weight);
      if (!weight) weight = context.Need(vocabulary.tied);
      x = b.Linear(b.SelectOutputs(x), weight, context.Maybe(vocabulary.bias));
      if (vocabulary.scale != 1) x = b.Scale(x, vocabulary.scale);
      if (vocabulary.softcap > 0) x = b.SoftCap(x, vocabulary.softcap);
      b.Output("logits", x);
      break;
    }
    case Head::kSequenceClassification:
      b.Output("logits", context.Linear(b, b.Pool(x, tensor::Pooling::kLast), "score"));
      break;
    case Head::kTokenClassification:
      b.Output("logits",
               context.Linear(b, x, context.Maybe("score.weight") ? "score" : "classifier"));
      break;
    case Head::kQuestionAnswering:
      b.Output("logits", context.Linear(b, x, "qa_outputs"));
      break;
    case Head::kNone:
      b.Output("hidden", x);
      break;
    case Head::kStates:
      break;
  }
}

}  // namespace hearth::runtime

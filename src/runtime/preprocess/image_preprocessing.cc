#include "runtime/preprocess/image_preprocessing.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "runtime/model_config.h"

namespace hearth::runtime {
namespace {

using media::Image;
using media::Resample;
using Size = ImagePreprocessing::Size;

constexpr uint32_t kMaxSide = 1u << 13;
// Of a picture that is resized by its shorter side, and the pixels of any between its steps: 4096 x
// 4096, 48 MiB.
constexpr uint32_t kMaxLongerSide = 1u << 15;
constexpr uint64_t kMaxPixels = 1u << 24;
constexpr std::array<float, 3> kUsualMean{0.5f, 0.5f, 0.5f}, kUsualStd = kUsualMean;

[[noreturn]] void Refuse(Code code, const std::string& message) {
  throw Error(code, "preprocessor_config.json: " + message);
}

uint32_t Side(const Json& value, std::string_view key) {
  auto side = value.AsUint();
  if (!side || *side == 0 || *side > kMaxSide) {
    Refuse(Code::kInvalidArgument, "\"" + std::string(key) + "\" must hold whole numbers up to " +
                                       std::to_string(kMaxSide));
  }
  return static_cast<uint32_t>(*side);
}

// {"height", "width"}, or one number for both, or a pair.
Size ReadSize(const Json& value, std::string_view key) {
  if (const Json::Array* pair = value.AsArray(); pair != nullptr && pair->size() == 2) {
    return {Side((*pair)[0], key), Side((*pair)[1], key)};
  }
  if (!value.is_object()) return {Side(value, key), Side(value, key)};
  const Json *height = value.Find("height"), *width = value.Find("width");
  if (height == nullptr || width == nullptr) {
    Refuse(Code::kUnimplemented, "\"" + std::string(key) + "\" of this kind is not known here yet");
  }
  return {Side(*height, key), Side(*width, key)};
}

Resample ReadResample(uint32_t number) {
  constexpr Resample kByNumber[] = {Resample::kNearest, Resample::kLanczos, Resample::kBilinear,
                                    Resample::kBicubic, Resample::kBox,     Resample::kHamming};
  if (number >= std::size(kByNumber)) {
    Refuse(Code::kInvalidArgument, "\"resample\" must be a number below 6");
  }
  return kByNumber[number];
}

// One number for all colours, or one each.
std::array<float, 3> ReadColours(const ModelConfig& file, std::string_view key,
                                 const std::array<float, 3>& fallback) {
  const Json* value = file.Find({key});
  if (value == nullptr) return fallback;
  std::array<float, 3> colours{};
  const Json::Array* list = value->AsArray();
  for (size_t i = 0; i < 3; ++i) {
    const Json* one = list == nullptr ? value : i < list->size() ? &(*list)[i] : nullptr;
    auto number = one != nullptr ? one->AsDouble() : std::nullopt;
    if (!number || !std::isfinite(static_cast<float>(*number)) ||
        (list != nullptr && list->size() != 3)) {
      Refuse(Code::kInvalidArgument, "\"" + std::string(key) + "\" must hold three numbers");
    }
    colours[i] = static_cast<float>(*number);
  }
  return colours;
}

void ReadResize(const ModelConfig& file, bool is_deit, ImagePreprocessing* made) {
  made->resample = ReadResample(file.Count({"resample"}, is_deit ? 3u : 2u));
  if (!file.Flag({"do_resize"}, true)) return;
  const Json* size = file.Find({"size"});
  if (size == nullptr) {
    uint32_t side = is_deit ? 256 : 224;
    made->resize = Size{side, side};
  } else if (const Json* shortest = size->Find("shortest_edge");
             shortest != nullptr && !shortest->is_null() && size->Find("longest_edge") == nullptr) {
    made->shortest_edge = Side(*shortest, "size");
  } else {
    made->resize = ReadSize(*size, "size");
  }
}

}  // namespace

ImagePreprocessing ImagePreprocessing::Parse(const Json& json, std::string_view model_type) {
  ModelConfig file(json);
  bool is_deit = model_type == "deit";
  ImagePreprocessing made;
  ReadResize(file, is_deit, &made);
  if (made.resize && uint64_t{made.resize->height} * made.resize->width > kMaxPixels) {
    Refuse(Code::kInvalidArgument, "\"size\" is more than a picture may have");
  }
  if (file.Flag({"do_center_crop"}, is_deit)) {
    const Json* crop = file.Find({"crop_size"});
    made.crop = crop != nullptr ? ReadSize(*crop, "crop_size") : Size{224, 224};
  }
  const Json* factor = file.Find({"rescale_factor"});
  double scale = factor != nullptr ? factor->AsDouble().value_or(0) : 1.0 / 255;
  if (!file.Flag({"do_rescale"}, true)) scale = 1;
  if (scale == 0 || !std::isfinite(static_cast<float>(scale * 255))) {
    Refuse(Code::kInvalidArgument, "\"rescale_factor\" must be a number");
  }
  for (size_t i = 0; i < made.values.size(); ++i) {
    made.values[i] = static_cast<float>(static_cast<double>(i) * scale);
  }
  if (file.Flag({"do_normalize"}, true)) {
    made.mean = ReadColours(file, "image_mean", kUsualMean);
    made.std = ReadColours(file, "image_std", kUsualStd);
    for (float deviation : made.std) {
      if (deviation == 0) Refuse(Code::kInvalidArgument, "\"image_std\" must not be 0");
    }
  }
  return made;
}

std::optional<Size> ImagePreprocessing::result() const { return crop ? crop : resize; }

std::vector<float> ImagePreprocessing::Apply(const Image& picture) const {
  Image changed;
  const Image* now = &picture;
  if (resize || shortest_edge > 0) {
    uint64_t height = resize ? resize->height : shortest_edge;
    uint64_t width = resize ? resize->width : shortest_edge;
    if (!resize) {
      uint64_t& longer = picture.width <= picture.height ? height : width;
      uint64_t longest = std::max(picture.width, picture.height);
      longer = longest * shortest_edge / std::min(picture.width, picture.height);
    }
    if (std::max(height, width) > kMaxLongerSide || height * width > kMaxPixels) {
      throw Error(Code::kUnprocessable, "the picture is too long for its width");
    }
    changed =
        media::Resize(*now, static_cast<uint32_t>(width), static_cast<uint32_t>(height), resample);
    now = &changed;
  }
  if (crop) {
    changed = media::CenterCrop(*now, crop->width, crop->height);
    now = &changed;
  }
  uint64_t pixels = uint64_t{now->width} * now->height;
  std::vector<float> planes(3 * pixels);
  for (size_t colour = 0; colour < 3; ++colour) {
    std::array<float, 256> table;
    for (size_t i = 0; i < table.size(); ++i) table[i] = (values[i] - mean[colour]) / std[colour];
    float* out = planes.data() + colour * pixels;
    for (uint64_t i = 0; i < pixels; ++i) out[i] = table[now->rgb[3 * i + colour]];
  }
  return planes;
}

}  // namespace hearth::runtime

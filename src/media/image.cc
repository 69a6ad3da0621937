#include "media/image.h"

#include <fmt/format.h>

#include "base/error.h"
#include "media/internal/image_format.h"
#include "media/internal/orientation.h"

namespace hearth::media {
namespace {

const ImageFormat* const kFormats[] = {
#define HEARTH_IMAGE_FORMAT(Name) &k##Name##Format,
#include "media/internal/image_formats.inc"
#undef HEARTH_IMAGE_FORMAT
};

}  // namespace

void ThrowDamaged(std::string_view format, std::string_view reason) {
  throw Error(Code::kUnprocessable, fmt::format("the {} picture is damaged: {}", format, reason));
}

void CheckSize(std::string_view format, uint64_t width, uint64_t height,
               const ImageLimits& limits) {
  if (width == 0 || height == 0) ThrowDamaged(format, "it has no pixels");
  if (width > limits.side || height > limits.side || width * height > limits.pixels) {
    throw Error(
        Code::kUnprocessable,
        fmt::format(
            "the {} picture is too large: {} x {} pixels; at most {} on a side and {} in all",
            format, width, height, limits.side, limits.pixels));
  }
}

Image MakeImage(uint32_t width, uint32_t height) {
  return Image{width, height, std::vector<uint8_t>(size_t{3} * width * height)};
}

Image DecodeImage(std::string_view bytes, const ImageLimits& limits) {
  if (bytes.empty()) throw Error(Code::kUnprocessable, "the picture is empty: no bytes");
  for (const ImageFormat* format : kFormats) {
    if (!format->is(bytes)) continue;
    Image image = format->decode(bytes, limits);
    return Upright(std::move(image), ReadOrientation(format->find_exif(bytes)));
  }
  throw Error(Code::kUnprocessable,
              "this is no picture that can be read: PNG, JPEG, WebP and GIF are");
}

}  // namespace hearth::media

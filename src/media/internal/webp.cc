// WebP (RFC 9649) by libwebp: lossy, lossless, and the first frame of an animation on its canvas.
#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "media/internal/image_format.h"

namespace hearth::media {
namespace {

constexpr std::string_view kName = "WebP";

bool IsWebp(std::string_view bytes) {
  return bytes.size() >= 16 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP";
}

const uint8_t* Data(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

std::string_view FindExif(std::string_view bytes) {
  constexpr std::string_view kMark("Exif\0\0", 6);  // of JPEG; some programs keep it
  constexpr size_t kFirst = 12, kHead = 8;
  for (size_t at = kFirst; at <= bytes.size() && bytes.size() - at >= kHead;) {
    size_t length = Little32(bytes, at + 4);
    if (length > bytes.size() - at - kHead) return {};
    std::string_view body = bytes.substr(at + kHead, length);
    if (bytes.substr(at, 4) == "EXIF")
      return body.starts_with(kMark) ? body.substr(kMark.size()) : body;
    at += kHead + length + (length & 1);
  }
  return {};
}

const char* Reason(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return "it ends too early";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "it uses a feature that is not known";
    default:
      return "its bytes are not those of a picture";
  }
}

Image DecodeFirstFrame(std::string_view bytes, uint32_t width, uint32_t height) {
  WebPAnimDecoderOptions options;
  if (WebPAnimDecoderOptionsInit(&options) == 0) ThrowDamaged(kName, "it cannot be read");
  options.color_mode = MODE_RGBA;
  WebPData data{Data(bytes), bytes.size()};
  std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)> decoder(
      WebPAnimDecoderNew(&data, &options), WebPAnimDecoderDelete);
  uint8_t* pixels = nullptr;
  int time = 0;
  if (decoder == nullptr || WebPAnimDecoderGetNext(decoder.get(), &pixels, &time) == 0) {
    ThrowDamaged(kName, "its first frame cannot be read");
  }
  Image image = MakeImage(width, height);
  for (size_t i = 0; i < size_t{width} * height; ++i) {
    for (size_t c = 0; c < 3; ++c) image.rgb[3 * i + c] = pixels[4 * i + c];
  }
  return image;
}

Image Decode(std::string_view bytes, const ImageLimits& limits) {
  WebPBitstreamFeatures features;
  VP8StatusCode status = WebPGetFeatures(Data(bytes), bytes.size(), &features);
  if (status != VP8_STATUS_OK) ThrowDamaged(kName, Reason(status));
  CheckSize(kName, static_cast<uint64_t>(features.width), static_cast<uint64_t>(features.height),
            limits);
  auto width = static_cast<uint32_t>(features.width),
       height = static_cast<uint32_t>(features.height);
  if (features.has_animation != 0) return DecodeFirstFrame(bytes, width, height);
  Image image = MakeImage(width, height);
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) ThrowDamaged(kName, "it cannot be read");
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {image.rgb.data(), static_cast<int>(3 * width), image.rgb.size()};
  status = WebPDecode(Data(bytes), bytes.size(), &config);
  if (status != VP8_STATUS_OK) ThrowDamaged(kName, Reason(status));
  return image;
}

}  // namespace

const ImageFormat kWebpFormat = {kName, IsWebp, Decode, FindExif};

}  // namespace hearth::media

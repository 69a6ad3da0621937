// What every format of pictures gives to DecodeImage: one file a format beside this one, one line
// in image_formats.inc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "media/image.h"

namespace hearth::media {

struct ImageFormat {
  std::string_view name;  // as people write it: "PNG"
  bool (*is)(std::string_view bytes);
  // The pixels as the file has them, not yet turned. Throws Error kUnprocessable.
  Image (*decode)(std::string_view bytes, const ImageLimits& limits);
  // The file's EXIF block, from its TIFF header on; empty when there is none. Never throws.
  std::string_view (*find_exif)(std::string_view bytes);
};

#define HEARTH_IMAGE_FORMAT(Name) extern const ImageFormat k##Name##Format;
#include "media/internal/image_formats.inc"
#undef HEARTH_IMAGE_FORMAT

// Throws Error kUnprocessable: "the JPEG picture is damaged: ...".
[[noreturn]] void ThrowDamaged(std::string_view format, std::string_view reason);

// Throws Error kUnprocessable when a header's size is 0 or over the limits; to be called before
// memory is taken.
void CheckSize(std::string_view format, uint64_t width, uint64_t height, const ImageLimits& limits);

// A black picture of a size that CheckSize let through.
Image MakeImage(uint32_t width, uint32_t height);

// Unsigned numbers at `at`, which lies inside `bytes` as far as they reach.
inline uint32_t ByteAt(std::string_view bytes, size_t at) {
  return static_cast<uint8_t>(bytes[at]);
}
inline uint32_t Little16(std::string_view bytes, size_t at) {
  return ByteAt(bytes, at) | ByteAt(bytes, at + 1) << 8;
}
inline uint32_t Little32(std::string_view bytes, size_t at) {
  return Little16(bytes, at) | Little16(bytes, at + 2) << 16;
}
inline uint32_t Big16(std::string_view bytes, size_t at) {
  return ByteAt(bytes, at) << 8 | ByteAt(bytes, at + 1);
}
inline uint32_t Big32(std::string_view bytes, size_t at) {
  return Big16(bytes, at) << 16 | Big16(bytes, at + 2);
}

}  // namespace hearth::media

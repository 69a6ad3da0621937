// Pictures of any format, small enough that the decoders and not the memory are what is tried.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "media/image_transform.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    hearth::media::Image image = hearth::media::DecodeImage(
        {reinterpret_cast<const char*>(data), size}, {.pixels = 1 << 18, .side = 1 << 12});
    hearth::media::CenterCrop(
        hearth::media::Resize(image, 16, 12, hearth::media::Resample::kBicubic), 14, 14);
  } catch (const hearth::Error&) {
  }
  return 0;
}

// Pictures as models take them: bytes of a file -> 8-bit RGB.
//
// PNG, JPEG, WebP and the first frame of a GIF, told apart by their first bytes. The pixels are
// those that Pillow's Image.open(...).convert("RGB") gives, turned as the file's EXIF orientation
// says (ImageOps.exif_transpose), because that is what models were trained on: transparency is
// dropped, not blended; palettes, grey, CMYK and 16 bits become RGB. Thread rule: pure functions;
// call them from any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace hearth::media {

struct Image {
  uint32_t width = 0, height = 0;
  std::vector<uint8_t> rgb;  // rows from the top, width * height * 3 bytes
};

// What a picture may be, judged by its header before memory is taken for pixels: a file of some
// kilobytes can declare gigabytes.
struct ImageLimits {
  uint64_t pixels = uint64_t{1} << 26;  // width * height; 8192 x 8192, 192 MiB of RGB
  uint32_t side = 1u << 15;             // each of width and height
};

// The picture in `bytes`. Throws Error kUnprocessable that names what is wrong: no picture that is
// known, damaged, cut off, or over a limit.
Image DecodeImage(std::string_view bytes, const ImageLimits& limits = {});

}  // namespace hearth::media

// Files of pictures and sound for tests, written by the libraries that also read them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "media/image.h"

namespace hearth::media {

// A picture in which every pixel is another colour, with slopes that lossy formats keep.
Image TestPicture(uint32_t width, uint32_t height);

// What differs between the kinds of PNG.
struct PngKind {
  int depth = 8;  // 1, 2, 4, 8 or 16 bits a sample
  int colour =
      2;  // libpng's numbers: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha
  bool interlaced = false;
};
// `samples` has one row after the other as PNG stores them, `palette` three bytes a colour.
std::string WritePng(uint32_t width, uint32_t height, const PngKind& kind, std::string_view samples,
                     std::string_view palette = {});
std::string WritePng(const Image& image);

std::string WriteJpeg(const Image& image, int quality);
std::string WriteProgressiveJpeg(const Image& image, int quality);
std::string WriteWebp(const Image& image, bool lossless);

// An EXIF block that says an orientation and nothing else; and files with one.
std::string ExifBlock(int orientation);
std::string JpegWithExif(std::string_view jpeg, std::string_view exif);
std::string PngWithExif(std::string_view png, std::string_view exif);

// `format`: libsndfile's SF_FORMAT_*. `samples`: of all channels in turn.
std::string WriteSound(int format, uint32_t rate, int channels, const std::vector<float>& samples);

// A tone of `hertz`, half as loud as can be.
std::vector<float> Tone(double hertz, uint32_t rate, size_t count);

// The message of the Error kUnprocessable that `call` throws; "" when it throws none, and any other
// fault as it is.
std::string Refusal(const std::function<void()>& call);

}  // namespace hearth::media

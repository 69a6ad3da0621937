#include "media/internal/orientation.h"

#include <cstddef>
#include <cstring>
#include <utility>

#include "media/internal/image_format.h"

namespace hearth::media {
namespace {

constexpr uint32_t kTag = 0x0112;
constexpr uint32_t kShort = 3;  // the type of a 16-bit number
constexpr size_t kEntryBytes = 12;

class TiffNumbers {
 public:
  TiffNumbers(std::string_view bytes, bool big) : bytes_(bytes), big_(big) {}
  uint32_t Two(size_t at) const { return big_ ? Big16(bytes_, at) : Little16(bytes_, at); }
  uint32_t Four(size_t at) const { return big_ ? Big32(bytes_, at) : Little32(bytes_, at); }

 private:
  std::string_view bytes_;
  bool big_;
};

// Where in the stored picture the pixel (x, y) of the upright one lies.
struct Turn {
  bool transposed;              // rows of the stored picture are columns of the upright one
  bool from_right, from_below;  // in the stored picture
};

constexpr Turn kTurns[] = {
    {false, false, false},  // 1: as it is
    {false, true, false},   // 2: mirrored left to right
    {false, true, true},    // 3: upside down
    {false, false, true},   // 4: mirrored top to bottom
    {true, false, false},   // 5: mirrored over the falling diagonal
    {true, false, true},    // 6: to be turned right
    {true, true, true},     // 7: mirrored over the rising diagonal
    {true, true, false},    // 8: to be turned left
};

}  // namespace

int ReadOrientation(std::string_view exif) {
  if (exif.size() < 8) return 1;
  bool big = exif.substr(0, 4) == std::string_view("MM\0*", 4);
  if (!big && exif.substr(0, 4) != std::string_view("II*\0", 4)) return 1;
  TiffNumbers numbers(exif, big);
  size_t at = numbers.Four(4);
  if (at > exif.size() - 2) return 1;
  size_t entries = numbers.Two(at);
  at += 2;
  for (; entries > 0 && at + kEntryBytes <= exif.size(); --entries, at += kEntryBytes) {
    if (numbers.Two(at) != kTag) continue;
    if (numbers.Two(at + 2) != kShort || numbers.Four(at + 4) != 1) return 1;
    uint32_t value = numbers.Two(at + 8);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image Upright(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const Turn turn = kTurns[orientation - 1];
  Image turned =
      turn.transposed ? MakeImage(image.height, image.width) : MakeImage(image.width, image.height);
  // One step right and one step down in the upright picture, as bytes of the stored one.
  const ptrdiff_t pixel = turn.from_right ? -3 : 3;
  const ptrdiff_t row = (turn.from_below ? -3 : 3) * static_cast<ptrdiff_t>(image.width);
  const ptrdiff_t right = turn.transposed ? row : pixel, down = turn.transposed ? pixel : row;
  size_t first = 0;
  if (turn.from_right) first += size_t{3} * (image.width - 1);
  if (turn.from_below) first += size_t{3} * image.width * (image.height - 1);
  uint8_t* out = turned.rgb.data();
  for (uint32_t y = 0; y < turned.height; ++y) {
    ptrdiff_t from = static_cast<ptrdiff_t>(first) + down * static_cast<ptrdiff_t>(y);
    for (uint32_t x = 0; x < turned.width; ++x, from += right, out += 3) {
      std::memcpy(out, image.rgb.data() + from, 3);
    }
  }
  return turned;
}

}  // namespace hearth::media

// How a camera was held: tag 0x0112 of the first directory of an EXIF block (TIFF 6.0;
// EXIF 2.3, 4.6.4).
#pragma once

#include <string_view>

#include "media/image.h"

namespace hearth::media {

// 1 to 8; 1 (upright) also when there is none or the block makes no sense. Never throws.
int ReadOrientation(std::string_view exif);

// The picture as it is to be seen. `orientation` as ReadOrientation gives it.
Image Upright(Image image, int orientation);

}  // namespace hearth::media

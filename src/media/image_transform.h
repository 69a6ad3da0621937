// What image processors do to pictures before a model sees them: sizes and cuts.
//
// Equal to Pillow's Image.resize byte for byte: the same filters, widened when a picture shrinks,
// weights in fixed point (22 bits), columns and rows one after the other, each rounded to 8 bits.
// Thread rule: pure functions; call them from any thread.
#pragma once

#include <cstdint>

#include "media/image.h"

namespace hearth::media {

// Filters by Pillow's names. Their numbers in preprocessor_config.json ("resample"): nearest 0,
// lanczos 1, bilinear 2, bicubic 3, box 4, hamming 5.
enum class Resample : uint8_t { kNearest, kBilinear, kBicubic, kLanczos, kBox, kHamming };

// The whole picture at another size. Throws Error kInvalidArgument when a side is 0 or above 2^15,
// when `width` times the taller of both heights is above 2^27 (what is held between the steps), or
// when the picture's `rgb` is not width * height * 3 bytes.
Image Resize(const Image& image, uint32_t width, uint32_t height, Resample filter);

// The middle of the picture, as the image processors of transformers 5 cut it (their torchvision
// backend): where it does not come out even, the cut is one pixel nearer to the left and the top. A
// picture that is smaller lies in the middle of black. Errors as Resize.
Image CenterCrop(const Image& image, uint32_t width, uint32_t height);

}  // namespace hearth::media

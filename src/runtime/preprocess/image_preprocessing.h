// What a model's preprocessor_config.json says of pictures: how one becomes the numbers that the
// model sees.
//
// Resize, crop, rescale and normalise in the order and the arithmetic of transformers' image
// processors for Pillow. Fields, also as older versions wrote them (a size that is one number):
// https://huggingface.co/docs/transformers/main_classes/image_processor. Plain data; pure
// functions. Errors: kInvalidArgument for a file that says something impossible, kUnimplemented for
// a way of resizing that this does not know.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "codec/json.h"
#include "media/image.h"
#include "media/image_transform.h"

namespace hearth::runtime {

struct ImagePreprocessing {
  struct Size {
    uint32_t height = 0, width = 0;
  };
  std::optional<Size> resize;  // to this size, whatever the picture's
  uint32_t shortest_edge = 0;  // or in proportion until the shorter side is this; 0: not
  media::Resample resample = media::Resample::kBilinear;
  std::optional<Size> crop;       // the middle
  std::array<float, 256> values;  // of what a byte becomes before it is normalised
  std::array<float, 3> mean{}, std{1, 1, 1};

  // `model_type` decides what a file says that leaves something out.
  static ImagePreprocessing Parse(const Json& file, std::string_view model_type);
  // [3][height][width]: red, green, blue. Throws kUnprocessable for a picture that would become too
  // large.
  std::vector<float> Apply(const media::Image& picture) const;
  // Of what Apply gives; absent where it depends on the picture.
  std::optional<Size> result() const;
};

}  // namespace hearth::runtime

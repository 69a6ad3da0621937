#include "media/image_transform.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "media/internal/test_media.h"

namespace hearth::media {
namespace {

constexpr Resample kFilters[] = {Resample::kNearest, Resample::kBilinear, Resample::kBicubic,
                                 Resample::kLanczos, Resample::kBox,      Resample::kHamming};

Code CodeOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return Code::kInternal;
}

// Equality with Pillow is proved by the parity tests; here is what holds for any sound filter.
TEST(ImageTransform, OneColourStaysOneColour) {
  Image plain{7, 5, std::vector<uint8_t>(7 * 5 * 3, 201)};
  for (Resample filter : kFilters) {
    for (auto [width, height] : {std::pair{3u, 2u}, {7u, 9u}, {20u, 5u}, {1u, 1u}, {64u, 64u}}) {
      Image resized = Resize(plain, width, height, filter);
      EXPECT_EQ(resized.rgb, std::vector<uint8_t>(size_t{3} * width * height, 201));
    }
  }
}

TEST(ImageTransform, TheSameSizeIsTheSamePicture) {
  Image picture = TestPicture(12, 10);
  for (Resample filter : kFilters) EXPECT_EQ(Resize(picture, 12, 10, filter).rgb, picture.rgb);
}

TEST(ImageTransform, HalvesAreMeans) {
  Image picture{2, 2, {0, 0, 0, 100, 0, 0, 0, 40, 0, 100, 40, 255}};
  EXPECT_THAT(Resize(picture, 1, 1, Resample::kBox).rgb, ::testing::ElementsAre(50, 20, 64));
}

TEST(ImageTransform, CropTakesTheMiddle) {
  Image picture = TestPicture(5, 4);
  Image cut = CenterCrop(picture, 2, 2);
  ASSERT_EQ(cut.rgb.size(), 12u);
  for (int c = 0; c < 6; ++c) EXPECT_EQ(cut.rgb[c], picture.rgb[3 * (5 * 1 + 1) + c]);
}

TEST(ImageTransform, CropOfASmallerPictureIsBlackAround) {
  Image dot{1, 1, {9, 8, 7}};
  Image cut = CenterCrop(dot, 4, 3);
  std::vector<uint8_t> expected(4 * 3 * 3);
  expected[3 * (4 * 1 + 1)] = 9, expected[3 * (4 * 1 + 1) + 1] = 8,
                        expected[3 * (4 * 1 + 1) + 2] = 7;
  EXPECT_EQ(cut.rgb, expected);
}

TEST(ImageTransform, SizesOutOfRangeAreRefused) {
  Image picture = TestPicture(4, 4);
  EXPECT_EQ(CodeOf([&] { Resize(picture, 0, 4, Resample::kBox); }), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf([&] { Resize(picture, 1u << 16, 1, Resample::kBox); }), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf([&] { Resize(picture, 1u << 15, 1u << 15, Resample::kBox); }),
            Code::kInvalidArgument);
  EXPECT_EQ(CodeOf([&] { Resize(Image{}, 4, 4, Resample::kBox); }), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf([&] {
              Resize(Image{4, 4, {1, 2, 3}}, 2, 2, Resample::kBox);
            }),
            Code::kInvalidArgument);
  EXPECT_EQ(CodeOf([&] { CenterCrop(picture, 4, 0); }), Code::kInvalidArgument);
}

}  // namespace
}  // namespace hearth::media

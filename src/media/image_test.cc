#include "media/image.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/error.h"
#include "media/internal/test_media.h"

namespace hearth::media {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string RefusalOf(std::string_view bytes, const ImageLimits& limits = {}) {
  return Refusal([&] { DecodeImage(bytes, limits); });
}

double MeanDifference(const Image& a, const Image& b) {
  EXPECT_EQ(a.rgb.size(), b.rgb.size());
  double sum = 0;
  for (size_t i = 0; i < std::min(a.rgb.size(), b.rgb.size()); ++i)
    sum += std::abs(a.rgb[i] - b.rgb[i]);
  return sum / static_cast<double>(a.rgb.size());
}

// 4 x 2 pixels, indices 0 1 2 3 / 3 2 1 0, in a 5 x 3 canvas, one to the right; colours black, red,
// green, blue.
std::string SmallGif() {
  std::string gif("GIF89a\x05\0\x03\0\xf1\0\0", 13);
  gif += std::string("\0\0\0\xff\0\0\0\xff\0\0\0\xff", 12);
  gif += std::string("!\xfe\x05hello\0", 9);
  gif += std::string(",\x01\0\0\0\x04\0\x02\0\0", 10);
  // Codes of 3 bits: clear, 0 1 2 (then 4 bits) 3 3 2 1 0 end; see RowsOfAGif.
  struct Bits {
    std::string bytes;
    uint32_t held = 0;
    int count = 0;
    void Add(uint32_t code, int bits) {
      held |= code << count;
      for (count += bits; count >= 8; count -= 8, held >>= 8) bytes += static_cast<char>(held);
    }
  } bits;
  for (uint32_t code : {4u, 0u, 1u, 2u}) bits.Add(code, 3);
  for (uint32_t code : {3u, 3u, 2u, 1u, 0u, 5u}) bits.Add(code, 4);
  bits.Add(0, 7);
  gif += '\x02';
  gif += static_cast<char>(bits.bytes.size());
  gif += bits.bytes;
  return gif + std::string("\0;", 2);
}

TEST(Image, PngGivesItsPixels) {
  Image picture = TestPicture(31, 17);
  Image read = DecodeImage(WritePng(picture));
  EXPECT_EQ(read.width, 31u);
  EXPECT_EQ(read.height, 17u);
  EXPECT_EQ(read.rgb, picture.rgb);
}

TEST(Image, InterlacedPng) {
  Image picture = TestPicture(13, 9);
  std::string_view samples(reinterpret_cast<const char*>(picture.rgb.data()), picture.rgb.size());
  EXPECT_EQ(DecodeImage(WritePng(13, 9, {.interlaced = true}, samples)).rgb, picture.rgb);
}

TEST(Image, GreyBitsOfPngBecomeFullGrey) {
  // Two bits a sample: 0 1 2 3.
  Image read = DecodeImage(WritePng(4, 1, {.depth = 2, .colour = 0}, "\x1b"));
  EXPECT_THAT(read.rgb, ElementsAre(0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255));
}

TEST(Image, SixteenBitColoursKeepTheirHighByte) {
  Image read = DecodeImage(
      WritePng(1, 1, {.depth = 16, .colour = 2}, std::string("\x12\xff\x80\x01\xfe\xff", 6)));
  EXPECT_THAT(read.rgb, ElementsAre(0x12, 0x80, 0xfe));
}

TEST(Image, TransparencyIsDroppedNotBlended) {
  Image read = DecodeImage(WritePng(1, 1, {.colour = 6}, std::string("\x0a\x14\x1e\0", 4)));
  EXPECT_THAT(read.rgb, ElementsAre(10, 20, 30));
  read = DecodeImage(WritePng(1, 1, {.colour = 4}, std::string("\x0a\0", 2)));
  EXPECT_THAT(read.rgb, ElementsAre(10, 10, 10));
}

TEST(Image, PaletteOfPng) {
  // Two bits an index: 1 0 2 3; the palette has three colours, the rest is grey.
  Image read = DecodeImage(WritePng(4, 1, {.depth = 2, .colour = 3}, "\x4b", "abcdefghi"));
  EXPECT_THAT(read.rgb, ElementsAre('d', 'e', 'f', 'a', 'b', 'c', 'g', 'h', 'i', 3, 3, 3));
}

TEST(Image, JpegIsCloseToWhatWasWritten) {
  Image picture = TestPicture(64, 48);
  EXPECT_LE(MeanDifference(DecodeImage(WriteJpeg(picture, 95)), picture), 5);
  EXPECT_EQ(DecodeImage(WriteProgressiveJpeg(picture, 95)).rgb,
            DecodeImage(WriteJpeg(picture, 95)).rgb);
}

TEST(Image, WebpBothWays) {
  Image picture = TestPicture(40, 30);
  EXPECT_EQ(DecodeImage(WriteWebp(picture, true)).rgb, picture.rgb);
  EXPECT_LE(MeanDifference(DecodeImage(WriteWebp(picture, false)), picture), 5);
}

TEST(Image, FirstFrameOfAGifLiesOnItsCanvas) {
  Image read = DecodeImage(SmallGif());
  ASSERT_EQ(read.width, 5u);
  ASSERT_EQ(read.height, 3u);
  auto pixel = [&](uint32_t x, uint32_t y) {
    const uint8_t* at = &read.rgb[3 * (5 * y + x)];
    return at[0] << 16 | at[1] << 8 | at[2];
  };
  EXPECT_EQ(pixel(0, 0), 0);  // outside of the frame
  EXPECT_EQ(pixel(1, 0), 0);
  EXPECT_EQ(pixel(2, 0), 0xff0000);
  EXPECT_EQ(pixel(3, 0), 0x00ff00);
  EXPECT_EQ(pixel(4, 0), 0x0000ff);
  EXPECT_EQ(pixel(1, 1), 0x0000ff);
  EXPECT_EQ(pixel(2, 1), 0x00ff00);
  EXPECT_EQ(pixel(3, 1), 0xff0000);
  EXPECT_EQ(pixel(4, 1), 0);
  EXPECT_EQ(pixel(2, 2), 0);
}

TEST(Image, OrientationTurnsThePicture) {
  // 2 x 1 pixels: a b. Where they are to be seen by orientation, rows from the top.
  Image pair{2, 1, {10, 10, 10, 200, 200, 200}};
  struct Case {
    int orientation;
    bool upright_is_wide;
    uint8_t first;
  };
  for (Case c :
       {Case{1, true, 10}, Case{2, true, 200}, Case{3, true, 200}, Case{4, true, 10},
        Case{5, false, 10}, Case{6, false, 10}, Case{7, false, 200}, Case{8, false, 200}}) {
    Image read = DecodeImage(PngWithExif(WritePng(pair), ExifBlock(c.orientation)));
    EXPECT_EQ(read.width, c.upright_is_wide ? 2u : 1u) << c.orientation;
    EXPECT_EQ(read.height, c.upright_is_wide ? 1u : 2u) << c.orientation;
    EXPECT_EQ(read.rgb[0], c.first) << c.orientation;
  }
}

TEST(Image, OrientationOfJpeg) {
  Image picture = TestPicture(48, 16);
  Image plain = DecodeImage(WriteJpeg(picture, 90));
  Image turned = DecodeImage(JpegWithExif(WriteJpeg(picture, 90), ExifBlock(6)));
  ASSERT_EQ(turned.width, 16u);
  ASSERT_EQ(turned.height, 48u);
  // To be turned right: what was at the bottom left is at the top left.
  for (int c = 0; c < 3; ++c) EXPECT_EQ(turned.rgb[c], plain.rgb[size_t{3} * 48 * 15 + c]);
}

TEST(Image, ADamagedExifBlockIsNoFault) {
  std::string jpeg = WriteJpeg(TestPicture(8, 8), 90);
  std::string block = ExifBlock(6);
  for (size_t length = 0; length < block.size(); ++length) {
    EXPECT_EQ(DecodeImage(JpegWithExif(jpeg, block.substr(0, length))).width, 8u);
  }
  EXPECT_EQ(DecodeImage(JpegWithExif(jpeg, std::string("II*\0\xff\xff\xff\xff", 8))).width, 8u);
}

TEST(Image, RefusalsNameWhatIsWrong) {
  EXPECT_THAT(RefusalOf(""), HasSubstr("empty"));
  EXPECT_THAT(RefusalOf("<svg xmlns='http://www.w3.org/2000/svg'/>"),
              HasSubstr("PNG, JPEG, WebP and GIF"));
  EXPECT_THAT(RefusalOf("\x89PNG\r\n\x1a\n"),
              HasSubstr("the PNG picture is damaged: it ends too early"));
  EXPECT_THAT(RefusalOf("GIF89a"), HasSubstr("the GIF picture is damaged: it ends too early"));
  EXPECT_THAT(RefusalOf("\xff\xd8\xff\xe0"),
              HasSubstr("the JPEG picture is damaged: it ends too early"));
}

TEST(Image, SizesAreCheckedBeforeMemoryIsTaken) {
  // A header of 2^31 - 1 pixels a side, and none of them.
  std::string png = WritePng(TestPicture(2, 2));
  std::string huge_gif("GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x08", 24);
  EXPECT_THAT(RefusalOf(huge_gif), HasSubstr("too large: 65535 x 65535"));
  EXPECT_THAT(RefusalOf(png, {.pixels = 3}), HasSubstr("too large: 2 x 2 pixels"));
  EXPECT_THAT(RefusalOf(png, {.side = 1}), HasSubstr("too large"));
  EXPECT_THAT(RefusalOf(WriteJpeg(TestPicture(16, 16), 90), {.pixels = 255}),
              HasSubstr("too large: 16 x 16"));
  EXPECT_THAT(RefusalOf(WriteWebp(TestPicture(16, 16), true), {.pixels = 255}),
              HasSubstr("too large: 16 x 16"));
}

TEST(Image, AJpegOfThousandsOfScansIsRefused) {
  // The last scan of a progressive file once more, and again: it refines nothing new, but costs a
  // pass each.
  std::string jpeg = WriteProgressiveJpeg(TestPicture(64, 64), 90);
  size_t scan = jpeg.rfind("\xff\xda");
  size_t tables = jpeg.rfind("\xff\xc4");
  std::string last = jpeg.substr(std::min(scan, tables), jpeg.size() - 2 - std::min(scan, tables));
  std::string many = jpeg.substr(0, jpeg.size() - 2);
  for (int i = 0; i < 200; ++i) many += last;
  many += "\xff\xd9";
  EXPECT_THAT(RefusalOf(many), HasSubstr("too many scans"));
}

struct Kind {
  const char* name;
  std::string bytes;
};

std::vector<Kind> Kinds() {
  Image picture = TestPicture(24, 18);
  return {{"png", WritePng(picture)},
          {"jpeg", WriteJpeg(picture, 90)},
          {"progressive", WriteProgressiveJpeg(picture, 90)},
          {"webp", WriteWebp(picture, false)},
          {"lossless", WriteWebp(picture, true)},
          {"gif", SmallGif()}};
}

TEST(Image, FilesThatAreCutOffAreRefused) {
  for (const Kind& kind : Kinds()) {
    // The last bytes may be an end mark that nobody needs.
    for (size_t length = 0; length + 16 < kind.bytes.size(); ++length) {
      EXPECT_NE(RefusalOf(kind.bytes.substr(0, length)), "")
          << kind.name << " of " << length << " bytes";
    }
  }
}

TEST(Image, AnyByteMayBeWrong) {
  for (const Kind& kind : Kinds()) {
    for (size_t at = 0; at < kind.bytes.size(); ++at) {
      for (int change : {0x01, 0x80, 0xff}) {
        std::string bytes = kind.bytes;
        bytes[at] = static_cast<char>(bytes[at] ^ change);
        // A picture or a refusal, nothing else; small, whatever its header says.
        RefusalOf(bytes, {.pixels = 1 << 20});
      }
    }
  }
}

}  // namespace
}  // namespace hearth::media

// The functions of test_media.h.
#include <gtest/gtest.h>
#include <png.h>
#include <sndfile.h>
#include <webp/encode.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <numbers>
// jpeglib.h needs cstdio.
#include <jpeglib.h>

#include "base/error.h"
#include "media/internal/test_media.h"

namespace hearth::media {

Image TestPicture(uint32_t width, uint32_t height) {
  Image image{width, height, {}};
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      image.rgb.push_back(static_cast<uint8_t>(x * 255 / std::max(1u, width - 1)));
      image.rgb.push_back(static_cast<uint8_t>(y * 255 / std::max(1u, height - 1)));
      image.rgb.push_back(static_cast<uint8_t>(40 + (x + 2 * y) % 100));
    }
  }
  return image;
}

namespace {
void AppendBytes(png_structp png, png_bytep bytes, size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<char*>(bytes), count);
}
}  // namespace

std::string WritePng(uint32_t width, uint32_t height, const PngKind& kind, std::string_view samples,
                     std::string_view palette) {
  std::string file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &file, AppendBytes, nullptr);
  png_set_IHDR(png, info, width, height, kind.depth, kind.colour,
               kind.interlaced ? PNG_INTERLACE_ADAM7 : 0, 0, 0);
  std::vector<png_color> colours;
  for (size_t i = 0; i + 2 < palette.size(); i += 3) {
    colours.push_back({static_cast<png_byte>(palette[i]), static_cast<png_byte>(palette[i + 1]),
                       static_cast<png_byte>(palette[i + 2])});
  }
  if (!colours.empty()) png_set_PLTE(png, info, colours.data(), static_cast<int>(colours.size()));
  png_write_info(png, info);
  std::string copy(samples);
  std::vector<uint8_t*> rows;
  const size_t row_bytes = samples.size() / height;
  for (uint32_t y = 0; y < height; ++y)
    rows.push_back(reinterpret_cast<uint8_t*>(copy.data()) + row_bytes * y);
  png_write_image(png, rows.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

std::string WritePng(const Image& image) {
  return WritePng(image.width, image.height, {},
                  {reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size()});
}

namespace {
std::string WriteJpegWith(const Image& image, int quality, void (*set_up)(jpeg_compress_struct&)) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr faults{};
  jpeg.err = jpeg_std_error(&faults);
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &out, &size);
  jpeg.image_width = image.width;
  jpeg.image_height = image.height;
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, quality, TRUE);
  set_up(jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<uint8_t> copy = image.rgb;
  for (uint32_t y = 0; y < image.height; ++y) {
    uint8_t* row = copy.data() + size_t{3} * image.width * y;
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::string file(reinterpret_cast<char*>(out), size);
  jpeg_destroy_compress(&jpeg);
  std::free(out);
  return file;
}
}  // namespace

std::string WriteJpeg(const Image& image, int quality) {
  return WriteJpegWith(image, quality, [](jpeg_compress_struct&) {});
}

std::string WriteProgressiveJpeg(const Image& image, int quality) {
  return WriteJpegWith(image, quality,
                       [](jpeg_compress_struct& jpeg) { jpeg_simple_progression(&jpeg); });
}

std::string WriteWebp(const Image& image, bool lossless) {
  uint8_t* out = nullptr;
  const auto width = static_cast<int>(image.width), height = static_cast<int>(image.height);
  const size_t size = lossless
                          ? WebPEncodeLosslessRGB(image.rgb.data(), width, height, 3 * width, &out)
                          : WebPEncodeRGB(image.rgb.data(), width, height, 3 * width, 95, &out);
  std::string file(reinterpret_cast<char*>(out), size);
  WebPFree(out);
  return file;
}

std::string ExifBlock(int orientation) {
  std::string block("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", 19);
  block += static_cast<char>(orientation);
  return block + std::string(6, '\0');
}

std::string JpegWithExif(std::string_view jpeg, std::string_view exif) {
  const size_t length = 2 + 6 + exif.size();
  std::string file(jpeg.substr(0, 2));
  file += "\xff\xe1";
  file += static_cast<char>(length >> 8);
  file += static_cast<char>(length);
  file += std::string_view("Exif\0\0", 6);
  file += exif;
  return file += jpeg.substr(2);
}

std::string PngWithExif(std::string_view png, std::string_view exif) {
  constexpr size_t kAfterHeader = 8 + 25;
  std::string chunk("\0\0\0", 3);
  chunk += static_cast<char>(exif.size());
  std::string body = "eXIf" + std::string(exif);
  uint32_t sum = 0xffffffff;  // CRC-32
  for (char c : body) {
    sum ^= static_cast<uint8_t>(c);
    for (int i = 0; i < 8; ++i) sum = (sum & 1) != 0 ? (sum >> 1) ^ 0xedb88320 : sum >> 1;
  }
  sum = ~sum;
  for (int shift : {24, 16, 8, 0}) body += static_cast<char>(sum >> shift);
  return std::string(png.substr(0, kAfterHeader)) + chunk + body +
         std::string(png.substr(kAfterHeader));
}

namespace {
struct Target {
  std::string bytes;
  sf_count_t at = 0;
};
sf_count_t TargetSize(void* user) {
  return static_cast<sf_count_t>(static_cast<Target*>(user)->bytes.size());
}
sf_count_t TargetTell(void* user) { return static_cast<Target*>(user)->at; }
sf_count_t TargetSeek(sf_count_t offset, int from, void* user) {
  auto* target = static_cast<Target*>(user);
  target->at = offset + (from == SEEK_SET ? 0 : from == SEEK_CUR ? target->at : TargetSize(user));
  return target->at;
}
sf_count_t TargetRead(void* out, sf_count_t count, void* user) {
  auto* target = static_cast<Target*>(user);
  count = std::min(count, TargetSize(user) - target->at);
  std::memcpy(out, target->bytes.data() + target->at, static_cast<size_t>(count));
  target->at += count;
  return count;
}
sf_count_t TargetWrite(const void* bytes, sf_count_t count, void* user) {
  auto* target = static_cast<Target*>(user);
  const auto end = static_cast<size_t>(target->at + count);
  if (target->bytes.size() < end) target->bytes.resize(end);
  std::memcpy(target->bytes.data() + target->at, bytes, static_cast<size_t>(count));
  target->at += count;
  return count;
}
}  // namespace

std::string WriteSound(int format, uint32_t rate, int channels, const std::vector<float>& samples) {
  Target target;
  SF_VIRTUAL_IO calls{TargetSize, TargetSeek, TargetRead, TargetWrite, TargetTell};
  SF_INFO info{};
  info.format = format;
  info.samplerate = static_cast<int>(rate);
  info.channels = channels;
  SNDFILE* file = sf_open_virtual(&calls, SFM_WRITE, &info, &target);
  EXPECT_NE(file, nullptr) << sf_strerror(nullptr);
  if (file == nullptr) return "";
  // libvorbis cannot take a long sound at once.
  for (size_t at = 0; at < samples.size(); at += 4096) {
    const size_t part = std::min<size_t>(4096, samples.size() - at);
    sf_write_float(file, samples.data() + at, static_cast<sf_count_t>(part));
  }
  sf_close(file);
  return target.bytes;
}

std::vector<float> Tone(double hertz, uint32_t rate, size_t count) {
  std::vector<float> samples(count);
  for (size_t i = 0; i < count; ++i) {
    samples[i] = static_cast<float>(
        0.5 * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / rate));
  }
  return samples;
}

std::string Refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnprocessable) << error.message();
    return error.message();
  }
  return "";
}

}  // namespace hearth::media

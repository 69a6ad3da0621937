// PNG (W3C Portable Network Graphics, third edition) by libpng.
//
// libpng reports faults by longjmp, which must not jump over living C++ objects: the functions that
// set the target of such a jump hold plain values only, and everything that owns memory lives
// outside of them.
#include <png.h>

#include <csetjmp>
#include <cstring>
#include <memory>
#include <vector>

#include "media/internal/image_format.h"

namespace hearth::media {
namespace {

constexpr std::string_view kName = "PNG";
constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
constexpr size_t kChunkHead = 8, kChunkFrame = 12;  // length, type; and the checksum

bool IsPng(std::string_view bytes) { return bytes.starts_with(kSignature); }

std::string_view FindExif(std::string_view bytes) {
  size_t at = kSignature.size();
  while (at <= bytes.size() && bytes.size() - at >= kChunkFrame) {
    size_t length = Big32(bytes, at);
    if (length > bytes.size() - at - kChunkFrame) break;
    if (bytes.substr(at + 4, 4) == "eXIf") return bytes.substr(at + kChunkHead, length);
    at += kChunkFrame + length;
  }
  return {};
}

// How the rows come out of libpng.
enum class Rows { kRgb, kPalette, kGrey16 };

struct Reading {
  std::string_view bytes;
  size_t at = 0;
  png_structp png = nullptr;
  png_infop info = nullptr;
  jmp_buf on_fault;
  char fault[160] = "";

  ~Reading() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void OnFault(png_structp png, png_const_charp message) {
  auto* reading = static_cast<Reading*>(png_get_error_ptr(png));
  std::strncpy(reading->fault, message, sizeof(reading->fault) - 1);
  std::longjmp(reading->on_fault, 1);
}

void OnWarning(png_structp, png_const_charp) {}

void ReadBytes(png_structp png, png_bytep out, size_t count) {
  auto* reading = static_cast<Reading*>(png_get_io_ptr(png));
  if (count > reading->bytes.size() - reading->at) png_error(png, "it ends too early");
  std::memcpy(out, reading->bytes.data() + reading->at, count);
  reading->at += count;
}

// Up to the first chunk of pixels. False: reading.fault says why.
bool ReadHeader(Reading& reading) {
  if (setjmp(reading.on_fault) != 0) return false;
  png_set_read_fn(reading.png, &reading, ReadBytes);
  // Text, profiles, gamma: none of them changes what is read here, and some unpack to megabytes.
  png_set_keep_unknown_chunks(reading.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  // Larger ones are told apart by CheckSize, with a better message.
  png_set_user_limits(reading.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_chunk_cache_max(reading.png, 64);
  png_set_chunk_malloc_max(reading.png, 1u << 20);
  png_read_info(reading.png, reading.info);
  return true;
}

Rows ChooseRows(const Reading& reading) {
  int colour = png_get_color_type(reading.png, reading.info);
  if (colour == PNG_COLOR_TYPE_PALETTE) return Rows::kPalette;
  bool wide = png_get_bit_depth(reading.png, reading.info) == 16;
  return colour == PNG_COLOR_TYPE_GRAY && wide ? Rows::kGrey16 : Rows::kRgb;
}

// Asks libpng for rows of the chosen form. Transparency is dropped.
bool SetUp(Reading& reading, Rows rows) {
  if (setjmp(reading.on_fault) != 0) return false;
  if (rows == Rows::kPalette) png_set_packing(reading.png);
  if (rows == Rows::kRgb) {
    png_set_expand_gray_1_2_4_to_8(reading.png);
    png_set_strip_16(reading.png);
    png_set_strip_alpha(reading.png);
    png_set_gray_to_rgb(reading.png);
  }
  png_set_interlace_handling(reading.png);
  png_read_update_info(reading.png, reading.info);
  return true;
}

bool ReadRows(Reading& reading, uint8_t** rows) {
  if (setjmp(reading.on_fault) != 0) return false;
  png_read_image(reading.png, rows);
  return true;
}

// 256 colours; those that the file does not give are a ramp of grey.
std::vector<uint8_t> PaletteOf(const Reading& reading) {
  std::vector<uint8_t> colours(size_t{3} * 256);
  for (size_t i = 0; i < colours.size(); ++i) colours[i] = static_cast<uint8_t>(i / 3);
  png_colorp given = nullptr;
  int count = 0;
  if (png_get_PLTE(reading.png, reading.info, &given, &count) == 0) return colours;
  for (int i = 0; i < count && i < 256; ++i) {
    const uint8_t rgb[] = {given[i].red, given[i].green, given[i].blue};
    std::memcpy(&colours[size_t{3} * i], rgb, 3);
  }
  return colours;
}

void PaintPalette(const Reading& reading, const std::vector<uint8_t>& indices, Image& image) {
  std::vector<uint8_t> colours = PaletteOf(reading);
  for (size_t i = 0; i < indices.size(); ++i) {
    std::memcpy(&image.rgb[3 * i], &colours[size_t{3} * indices[i]], 3);
  }
}

// As Pillow does it: values that 8 bits cannot hold are white.
void PaintGrey16(const std::vector<uint8_t>& values, Image& image) {
  for (size_t i = 0; 2 * i < values.size(); ++i) {
    uint8_t grey = values[2 * i] == 0 ? values[2 * i + 1] : 255;
    std::memset(&image.rgb[3 * i], grey, 3);
  }
}

Image Decode(std::string_view bytes, const ImageLimits& limits) {
  Reading reading;
  reading.bytes = bytes;
  reading.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, OnFault, OnWarning);
  if (reading.png != nullptr) reading.info = png_create_info_struct(reading.png);
  if (reading.info == nullptr) throw std::bad_alloc();
  if (!ReadHeader(reading)) ThrowDamaged(kName, reading.fault);
  uint32_t width = png_get_image_width(reading.png, reading.info);
  uint32_t height = png_get_image_height(reading.png, reading.info);
  CheckSize(kName, width, height, limits);
  Rows form = ChooseRows(reading);
  if (!SetUp(reading, form)) ThrowDamaged(kName, reading.fault);

  size_t row_bytes = png_get_rowbytes(reading.png, reading.info);
  const size_t pixel_bytes = form == Rows::kRgb ? 3 : form == Rows::kGrey16 ? 2 : 1;
  if (row_bytes != pixel_bytes * width) ThrowDamaged(kName, "its rows have another length");
  Image image = MakeImage(width, height);
  std::vector<uint8_t> values(form == Rows::kRgb ? 0 : row_bytes * height);
  uint8_t* first = form == Rows::kRgb ? image.rgb.data() : values.data();
  std::vector<uint8_t*> rows(height);
  for (uint32_t y = 0; y < height; ++y) rows[y] = first + row_bytes * y;
  if (!ReadRows(reading, rows.data())) ThrowDamaged(kName, reading.fault);
  if (form == Rows::kPalette) PaintPalette(reading, values, image);
  if (form == Rows::kGrey16) PaintGrey16(values, image);
  return image;
}

}  // namespace

const ImageFormat kPngFormat = {kName, IsPng, Decode, FindExif};

}  // namespace hearth::media

// JPEG (ITU-T T.81) by libjpeg-turbo, with its defaults: the slow and exact transform, smooth
// upsampling.
//
// The library reports faults by a call that must not return: it jumps, see png.cc for the rule that
// this brings.
#include <cstddef>
#include <cstdio>
// jpeglib.h needs the two above.
#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>
#include <cstring>
#include <vector>

#include "media/internal/image_format.h"

namespace hearth::media {
namespace {

constexpr std::string_view kName = "JPEG";
// A progressive picture is built up by scans, each over all of it; a file of some kilobytes can
// hold thousands of empty ones. Encoders write about ten.
constexpr int kMostScans = 100;

struct Reading {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr faults{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};
  jmp_buf on_fault;
  char fault[JMSG_LENGTH_MAX] = "";

  ~Reading() { jpeg_destroy_decompress(&jpeg); }
};

[[noreturn]] void OnFault(j_common_ptr jpeg) {
  auto* reading = static_cast<Reading*>(jpeg->client_data);
  jpeg->err->format_message(jpeg, reading->fault);
  std::longjmp(reading->on_fault, 1);
}

[[noreturn]] void Fail(j_common_ptr jpeg, const char* reason) {
  auto* reading = static_cast<Reading*>(jpeg->client_data);
  std::strncpy(reading->fault, reason, sizeof(reading->fault) - 1);
  std::longjmp(reading->on_fault, 1);
}

void OnMessage(j_common_ptr, int) {}
void Nothing(j_decompress_ptr) {}

boolean NoMoreBytes(j_decompress_ptr jpeg) {
  Fail(reinterpret_cast<j_common_ptr>(jpeg), "it ends too early");
}

void Skip(j_decompress_ptr jpeg, long count) {
  if (count <= 0) return;
  size_t left = jpeg->src->bytes_in_buffer;
  size_t step = static_cast<size_t>(count) < left ? static_cast<size_t>(count) : left;
  jpeg->src->next_input_byte += step;
  jpeg->src->bytes_in_buffer -= step;
}

void OnProgress(j_common_ptr jpeg) {
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number > kMostScans) {
    Fail(jpeg, "it has too many scans");
  }
}

void Open(Reading& reading, std::string_view bytes) {
  reading.jpeg.err = jpeg_std_error(&reading.faults);
  reading.faults.error_exit = OnFault;
  reading.faults.emit_message = OnMessage;
  reading.jpeg.client_data = &reading;
  reading.source.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
  reading.source.bytes_in_buffer = bytes.size();
  reading.source.init_source = Nothing;
  reading.source.fill_input_buffer = NoMoreBytes;
  reading.source.skip_input_data = Skip;
  reading.source.resync_to_restart = jpeg_resync_to_restart;
  reading.source.term_source = Nothing;
  reading.progress.progress_monitor = OnProgress;
}

// False: reading.fault says why.
bool ReadHeader(Reading& reading) {
  if (setjmp(reading.on_fault) != 0) return false;
  jpeg_create_decompress(&reading.jpeg);
  reading.jpeg.src = &reading.source;
  reading.jpeg.progress = &reading.progress;
  jpeg_read_header(&reading.jpeg, TRUE);
  return true;
}

// Decodes up to the first row.
bool Start(Reading& reading) {
  if (setjmp(reading.on_fault) != 0) return false;
  // Four components are what printers mix; one is grey; three are RGB in one coat or another.
  int components = reading.jpeg.num_components;
  reading.jpeg.out_color_space = components == 4   ? JCS_CMYK
                                 : components == 1 ? JCS_GRAYSCALE
                                                   : JCS_RGB;
  jpeg_start_decompress(&reading.jpeg);
  return true;
}

bool ReadRow(Reading& reading, uint8_t* row) {
  if (setjmp(reading.on_fault) != 0) return false;
  jpeg_read_scanlines(&reading.jpeg, &row, 1);
  return true;
}

uint32_t Times(uint32_t a, uint32_t b) {  // of two fractions with 255 below; rounded
  uint32_t product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

// `row` holds inks the other way round, as Adobe's programs have written them since ever: 255 is
// none.
void PaintCmyk(const uint8_t* row, uint32_t width, uint8_t* out) {
  for (uint32_t x = 0; x < width; ++x, row += 4) {
    uint32_t light = row[3];
    for (int c = 0; c < 3; ++c) *out++ = static_cast<uint8_t>(light - Times(255u - row[c], light));
  }
}

void PaintGrey(const uint8_t* row, uint32_t width, uint8_t* out) {
  for (uint32_t x = 0; x < width; ++x, out += 3) std::memset(out, row[x], 3);
}

Image Decode(std::string_view bytes, const ImageLimits& limits) {
  Reading reading;
  Open(reading, bytes);
  if (!ReadHeader(reading)) ThrowDamaged(kName, reading.fault);
  CheckSize(kName, reading.jpeg.image_width, reading.jpeg.image_height, limits);
  if (!Start(reading)) ThrowDamaged(kName, reading.fault);
  const uint32_t width = reading.jpeg.output_width, height = reading.jpeg.output_height;
  const int components = reading.jpeg.output_components;
  Image image = MakeImage(width, height);
  std::vector<uint8_t> row(components == 3 ? 0 : static_cast<size_t>(components) * width);
  for (uint32_t y = 0; y < height; ++y) {
    uint8_t* out = image.rgb.data() + size_t{3} * width * y;
    if (!ReadRow(reading, components == 3 ? out : row.data())) ThrowDamaged(kName, reading.fault);
    if (components == 1) PaintGrey(row.data(), width, out);
    if (components == 4) PaintCmyk(row.data(), width, out);
  }
  return image;
}

bool IsJpeg(std::string_view bytes) { return bytes.starts_with("\xff\xd8\xff"); }

// Walks the segments before the first scan to APP1 with the mark "Exif".
std::string_view FindExif(std::string_view bytes) {
  constexpr std::string_view kMark("Exif\0\0", 6);
  for (size_t at = 2; at + 4 <= bytes.size();) {
    if (ByteAt(bytes, at) != 0xff) return {};
    uint32_t marker = ByteAt(bytes, at + 1);
    if (marker == 0xff) {  // padding
      ++at;
      continue;
    }
    if (marker == 0xda || marker == 0xd9) return {};             // pixels; end
    if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {  // no length
      at += 2;
      continue;
    }
    size_t length = Big16(bytes, at + 2);
    if (length < 2 || length > bytes.size() - at - 2) return {};
    std::string_view body = bytes.substr(at + 4, length - 2);
    if (marker == 0xe1 && body.starts_with(kMark)) return body.substr(kMark.size());
    at += 2 + length;
  }
  return {};
}

}  // namespace

const ImageFormat kJpegFormat = {kName, IsJpeg, Decode, FindExif};

}  // namespace hearth::media

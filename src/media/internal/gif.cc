// The first frame of a GIF (CompuServe's GIF89a specification, 1990) on its canvas.
//
// A screen descriptor, perhaps a palette, then blocks: extensions, and frames of LZW codes that
// grow from `start bits + 1` to 12 bits as their dictionary grows. Own reader: a frame is 60 lines,
// and no library of formats whose files come from anyone is one more to keep up to date.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "media/internal/image_format.h"

namespace hearth::media {
namespace {

constexpr std::string_view kName = "GIF";
constexpr size_t kMostCodes = 4096;

using Palette = std::array<uint8_t, 3 * 256>;

// What the file does not give is a ramp of grey.
Palette GreyRamp() {
  Palette palette{};
  for (size_t i = 0; i < palette.size(); ++i) palette[i] = static_cast<uint8_t>(i / 3);
  return palette;
}

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  std::string_view Take(size_t count) {
    if (count > bytes_.size()) ThrowDamaged(kName, "it ends too early");
    std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  uint32_t Byte() { return ByteAt(Take(1), 0); }
  // The next part of a body: a length, and as many bytes; none at its end.
  std::string_view Block() { return Take(Byte()); }

 private:
  std::string_view bytes_;
};

Palette ReadPalette(Bytes& bytes, uint32_t flags) {
  Palette palette = GreyRamp();
  if ((flags & 0x80) == 0) return palette;
  std::string_view given = bytes.Take(size_t{3} << ((flags & 7) + 1));
  std::memcpy(palette.data(), given.data(), given.size());
  return palette;
}

struct Frame {
  uint32_t left = 0, top = 0, width = 0, height = 0;
  bool interlaced = false;
};

// Codes of 3 to 12 bits, from the lowest bit on, over the borders of blocks.
class Codes {
 public:
  explicit Codes(Bytes& bytes) : bytes_(bytes) {}
  uint32_t Next(int bits) {
    while (count_ < bits) {
      if (block_.empty()) block_ = bytes_.Block();
      if (block_.empty()) ThrowDamaged(kName, "its frame ends too early");
      held_ |= ByteAt(block_, 0) << count_;
      block_.remove_prefix(1);
      count_ += 8;
    }
    uint32_t code = held_ & ((1u << bits) - 1);
    held_ >>= bits;
    count_ -= bits;
    return code;
  }

 private:
  Bytes& bytes_;
  std::string_view block_;
  uint32_t held_ = 0;
  int count_ = 0;
};

// The indices of a frame, in the order of the file.
std::vector<uint8_t> Unpack(Bytes& bytes, size_t pixels) {
  const auto start_bits = static_cast<int>(bytes.Byte());
  if (start_bits < 1 || start_bits > 8) ThrowDamaged(kName, "its codes have no such size");
  const uint32_t clear = 1u << start_bits, end = clear + 1;
  std::array<uint16_t, kMostCodes> before{}, lengths{};
  std::array<uint8_t, kMostCodes> last{}, first{};
  for (uint32_t i = 0; i < clear; ++i) {
    last[i] = first[i] = static_cast<uint8_t>(i);
    lengths[i] = 1;
  }
  std::vector<uint8_t> out(pixels);
  Codes codes(bytes);
  int bits = start_bits + 1;
  uint32_t next = end + 1;
  std::optional<uint32_t> previous;
  for (size_t at = 0; at < pixels;) {
    uint32_t code = codes.Next(bits);
    if (code == clear) {
      bits = start_bits + 1;
      next = end + 1;
      previous.reset();
      continue;
    }
    if (code == end) ThrowDamaged(kName, "its frame ends too early");
    if (previous && next < kMostCodes) {
      before[next] = static_cast<uint16_t>(*previous);
      first[next] = first[*previous];
      lengths[next] = static_cast<uint16_t>(lengths[*previous] + 1);
      last[next] = code == next ? first[*previous] : code < next ? first[code] : 0;
      ++next;
      if (next == (1u << bits) && bits < 12) ++bits;
    }
    if (code >= next) ThrowDamaged(kName, "it uses a code that it has not defined");
    // From its end, as the dictionary is chained; what lies behind the frame is dropped.
    uint32_t walk = code;
    for (size_t i = lengths[code]; i-- > 0; walk = before[walk]) {
      if (at + i < pixels) out[at + i] = last[walk];
    }
    at += lengths[code];
    previous = code;
  }
  return out;
}

// Rows in the order of the file: all, or every eighth, the fourths between, the twos, the rest.
std::vector<uint32_t> RowOrder(const Frame& frame) {
  std::vector<uint32_t> rows;
  rows.reserve(frame.height);
  struct Pass {
    uint32_t first, step;
  };
  constexpr Pass kInterlaced[] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
  constexpr Pass kPlain[] = {{0, 1}};
  auto add = [&](const Pass& pass) {
    for (uint32_t y = pass.first; y < frame.height; y += pass.step) rows.push_back(y);
  };
  if (frame.interlaced) {
    for (const Pass& pass : kInterlaced) add(pass);
  } else {
    for (const Pass& pass : kPlain) add(pass);
  }
  return rows;
}

bool IsGif(std::string_view bytes) {
  return bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a");
}

// An extension's body is passed over; of a graphic control the transparent index is kept.
void ReadExtension(Bytes& bytes, std::optional<uint8_t>& transparent) {
  const bool control = bytes.Byte() == 0xf9;
  for (std::string_view block = bytes.Block(); !block.empty(); block = bytes.Block()) {
    if (control && block.size() >= 4 && (ByteAt(block, 0) & 1) != 0) {
      transparent = static_cast<uint8_t>(block[3]);
    }
  }
}

Image Decode(std::string_view file, const ImageLimits& limits) {
  Bytes bytes(file);
  std::string_view screen = bytes.Take(13);
  uint32_t width = Little16(screen, 6), height = Little16(screen, 8);
  Palette palette = ReadPalette(bytes, ByteAt(screen, 10));
  std::optional<uint8_t> transparent;
  for (uint32_t kind = bytes.Byte(); kind != ','; kind = bytes.Byte()) {
    if (kind == ';') ThrowDamaged(kName, "it holds no frame");
    if (kind == '!') ReadExtension(bytes, transparent);
  }
  std::string_view head = bytes.Take(9);
  Frame frame{Little16(head, 0), Little16(head, 2), Little16(head, 4), Little16(head, 6),
              (ByteAt(head, 8) & 0x40) != 0};
  if ((ByteAt(head, 8) & 0x80) != 0) palette = ReadPalette(bytes, ByteAt(head, 8));
  // A frame may reach over the canvas, which then grows.
  width = std::max(width, frame.left + frame.width);
  height = std::max(height, frame.top + frame.height);
  CheckSize(kName, width, height, limits);
  if (frame.width == 0 || frame.height == 0) ThrowDamaged(kName, "its frame has no pixels");

  std::vector<uint8_t> indices = Unpack(bytes, size_t{frame.width} * frame.height);
  Image image = MakeImage(width, height);
  const uint8_t* ground = &palette[size_t{3} * transparent.value_or(0)];
  for (size_t i = 0; i < size_t{width} * height; ++i) std::memcpy(&image.rgb[3 * i], ground, 3);
  const uint8_t* index = indices.data();
  for (uint32_t y : RowOrder(frame)) {
    uint8_t* out = &image.rgb[3 * (size_t{width} * (frame.top + y) + frame.left)];
    for (uint32_t x = 0; x < frame.width; ++x, out += 3) {
      std::memcpy(out, &palette[size_t{3} * *index++], 3);
    }
  }
  return image;
}

std::string_view NoExif(std::string_view) { return {}; }

}  // namespace

const ImageFormat kGifFormat = {kName, IsGif, Decode, NoExif};

}  // namespace hearth::media

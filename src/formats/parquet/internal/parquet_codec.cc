#include "formats/parquet/internal/parquet_codec.h"

#include <lz4.h>
#include <zstd.h>

#include "base/error.h"
#include "codec/compression.h"

namespace hearth::parquet {
namespace {

enum Codec { kNone, kSnappy, kGzip, kLzo, kBrotli, kLz4, kZstd, kLz4Raw };

[[noreturn]] void Damaged() {
  throw Error(Code::kInvalidArgument, "a page does not decompress to the length that it states");
}

// Snappy's block format: github.com/google/snappy, format_description.txt.
std::string Snappy(std::string_view bytes, size_t size) {
  size_t at = 0;
  auto byte = [&]() -> size_t {
    if (at >= bytes.size()) Damaged();
    return static_cast<uint8_t>(bytes[at++]);
  };
  uint64_t length = 0;
  for (int shift = 0;; shift += 7) {
    if (shift > 28) Damaged();
    size_t part = byte();
    length |= static_cast<uint64_t>(part & 127) << shift;
    if (part < 128) break;
  }
  if (length != size) Damaged();
  std::string out;
  out.reserve(size);
  while (at < bytes.size()) {
    size_t tag = byte();
    if ((tag & 3) == 0) {
      size_t count = tag >> 2;
      if (count >= 60) {
        size_t wide = count - 59;
        count = 0;
        for (size_t i = 0; i < wide; ++i) count |= byte() << (8 * i);
      }
      ++count;
      if (count > bytes.size() - at || count > size - out.size()) Damaged();
      out.append(bytes.substr(at, count));
      at += count;
      continue;
    }
    size_t count, offset;
    if ((tag & 3) == 1) {
      count = 4 + ((tag >> 2) & 7);
      offset = ((tag >> 5) << 8) | byte();
    } else {
      count = (tag >> 2) + 1;
      offset = byte();
      offset |= byte() << 8;
      if ((tag & 3) == 3) {
        offset |= byte() << 16;
        offset |= byte() << 24;
      }
    }
    if (offset == 0 || offset > out.size() || count > size - out.size()) Damaged();
    for (size_t i = 0; i < count; ++i) out.push_back(out[out.size() - offset]);
  }
  if (out.size() != size) Damaged();
  return out;
}

}  // namespace

std::string CodecName(int64_t codec) {
  static constexpr const char* kNames[] = {"none",   "snappy",    "gzip", "lzo",
                                           "brotli", "lz4 (old)", "zstd", "lz4"};
  return codec >= 0 && codec < 8 ? kNames[codec] : "codec " + std::to_string(codec);
}

std::string Decompress(int64_t codec, std::string_view bytes, size_t size) {
  switch (codec) {
    case kNone:
      if (bytes.size() != size) Damaged();
      return std::string(bytes);
    case kSnappy:
      return Snappy(bytes, size);
    case kGzip: {
      std::string out = GzipDecompress(bytes, size);
      if (out.size() != size) Damaged();
      return out;
    }
    case kZstd: {
      std::string out(size, '\0');
      size_t made = ZSTD_decompress(out.data(), size, bytes.data(), bytes.size());
      if (ZSTD_isError(made) != 0 || made != size) Damaged();
      return out;
    }
    case kLz4Raw: {
      std::string out(size, '\0');
      int made = LZ4_decompress_safe(bytes.data(), out.data(), static_cast<int>(bytes.size()),
                                     static_cast<int>(size));
      if (made < 0 || static_cast<size_t>(made) != size) Damaged();
      return out;
    }
    default:
      throw Error(Code::kUnimplemented,
                  "pages packed with " + CodecName(codec) + " are not read here");
  }
}

}  // namespace hearth::parquet

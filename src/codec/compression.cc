#include "codec/compression.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace hearth {
namespace {

// 15 = the largest window; +16 = gzip header and trailer instead of zlib's.
constexpr int kGzipWindow = 15 + 16;
constexpr size_t kChunkBytes = 64 << 10;
// zlib counts in unsigned int: feed larger inputs in pieces.
constexpr size_t kMaxPieceBytes = std::numeric_limits<uInt>::max() / 2;

class Inflater {
 public:
  Inflater() {
    if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw Error(Code::kInternal, "zlib: no memory");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream stream{};
};

class Deflater {
 public:
  explicit Deflater(int level) {
    if (deflateInit2(&stream, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw Error(Code::kInternal, "zlib: no memory");
    }
  }
  ~Deflater() { deflateEnd(&stream); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  z_stream stream{};
};

// Moves the next piece of `rest` into the stream's input window.
void Feed(z_stream* stream, std::string_view* rest) {
  size_t piece = std::min(rest->size(), kMaxPieceBytes);
  stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest->data()));
  stream->avail_in = static_cast<uInt>(piece);
  rest->remove_prefix(piece);
}

}  // namespace

std::string GzipCompress(std::string_view bytes, int level) {
  if (level < 1 || level > 9) throw Error(Code::kInvalidArgument, "gzip level must be 1 to 9");
  Deflater deflater(level);
  z_stream& stream = deflater.stream;
  std::string out;
  char chunk[kChunkBytes];
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    if (stream.avail_in == 0) Feed(&stream, &bytes);
    stream.next_out = reinterpret_cast<Bytef*>(chunk);
    stream.avail_out = sizeof chunk;
    status = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    if (status == Z_STREAM_ERROR) throw Error(Code::kInternal, "zlib: compression failed");
    out.append(chunk, sizeof chunk - stream.avail_out);
  }
  return out;
}

std::string GzipDecompress(std::string_view bytes, uint64_t max_bytes) {
  Inflater inflater;
  z_stream& stream = inflater.stream;
  std::string out;
  char chunk[kChunkBytes];
  bool member_done = false;
  Feed(&stream, &bytes);
  for (;;) {
    if (stream.avail_in == 0 && !bytes.empty()) Feed(&stream, &bytes);
    if (member_done) {
      if (stream.avail_in == 0) return out;
      inflateReset(&stream);
      member_done = false;
    }
    stream.next_out = reinterpret_cast<Bytef*>(chunk);
    stream.avail_out = sizeof chunk;
    int status = inflate(&stream, Z_NO_FLUSH);
    size_t produced = sizeof chunk - stream.avail_out;
    if (produced > max_bytes - out.size()) {
      throw Error(Code::kTooLarge,
                  "gzip data decompresses to more than " + std::to_string(max_bytes) + " bytes");
    }
    out.append(chunk, produced);
    if (status == Z_STREAM_END) {
      member_done = true;
    } else if (status == Z_BUF_ERROR) {
      throw Error(Code::kInvalidArgument, "gzip data is truncated");
    } else if (status != Z_OK) {
      throw Error(Code::kInvalidArgument,
                  std::string("gzip data is damaged: ") + (stream.msg ? stream.msg : "bad stream"));
    }
  }
}

}  // namespace hearth

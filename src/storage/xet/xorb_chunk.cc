// One chunk record: header, LZ4 frames and byte grouping.
#include <lz4frame.h>

#include <cstring>
#include <memory>
#include <new>

#include "base/error.h"
#include "storage/xet/chunker.h"
#include "storage/xet/xorb.h"

namespace hearth::storage {
namespace {

uint32_t Read24(const unsigned char* at) { return at[0] | at[1] << 8 | at[2] << 16; }

void Append24(uint32_t value, std::string& out) {
  for (int shift = 0; shift < 24; shift += 8) out += static_cast<char>(value >> shift & 0xff);
}

[[noreturn]] void Malformed(const char* what) {
  throw Error(Code::kInvalidArgument, std::string("malformed xorb: ") + what);
}

LZ4F_dctx* DecompressContext() {
  struct Free {
    void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
  };
  thread_local std::unique_ptr<LZ4F_dctx, Free> context;
  if (!context) {
    LZ4F_dctx* made = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&made, LZ4F_VERSION))) throw std::bad_alloc();
    context.reset(made);
  }
  LZ4F_resetDecompressionContext(context.get());
  return context.get();
}

// Decodes exactly one frame that fills `out` and ends with the payload.
void DecodeFrame(std::string_view payload, char* out, size_t out_bytes) {
  LZ4F_dctx* context = DecompressContext();
  size_t produced = 0;
  size_t hint = 1;
  while (!payload.empty() && hint != 0) {
    size_t room = out_bytes - produced;
    size_t taken = payload.size();
    hint = LZ4F_decompress(context, out + produced, &room, payload.data(), &taken, nullptr);
    if (LZ4F_isError(hint)) Malformed("bad LZ4 frame");
    produced += room;
    payload.remove_prefix(taken);
    if (room == 0 && taken == 0) Malformed("LZ4 frame is longer than its header says");
  }
  if (hint != 0) Malformed("LZ4 frame is cut short");
  if (!payload.empty()) Malformed("bytes after the LZ4 frame");
  if (produced != out_bytes) Malformed("LZ4 frame is shorter than its header says");
}

std::string EncodeFrame(std::string_view bytes) {
  LZ4F_preferences_t preferences = {};
  preferences.frameInfo.blockSizeID = bytes.size() <= (64 << 10) ? LZ4F_max64KB : LZ4F_max256KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  std::string out(LZ4F_compressFrameBound(bytes.size(), &preferences), '\0');
  size_t written =
      LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), &preferences);
  if (LZ4F_isError(written)) throw Error(Code::kInternal, LZ4F_getErrorName(written));
  out.resize(written);
  return out;
}

// Group k of n bytes holds the indexes k, k+4, k+8 ...
size_t GroupBytes(size_t bytes, size_t group) { return (bytes + 3 - group) / 4; }

std::string GroupByFour(std::string_view bytes) {
  std::string out(bytes.size(), '\0');
  char* to = out.data();
  for (size_t group = 0; group < 4; ++group) {
    size_t count = GroupBytes(bytes.size(), group);
    const char* from = bytes.data() + group;
    for (size_t i = 0; i < count; ++i) to[i] = from[4 * i];
    to += count;
  }
  return out;
}

// One pass over four streams: each output word is whole, so the loop has no partial stores.
void UngroupByFour(std::string_view grouped, char* to) {
  const char* g0 = grouped.data();
  const char* g1 = g0 + GroupBytes(grouped.size(), 0);
  const char* g2 = g1 + GroupBytes(grouped.size(), 1);
  const char* g3 = g2 + GroupBytes(grouped.size(), 2);
  size_t words = grouped.size() / 4;
  for (size_t i = 0; i < words; ++i) {
    to[4 * i] = g0[i];
    to[4 * i + 1] = g1[i];
    to[4 * i + 2] = g2[i];
    to[4 * i + 3] = g3[i];
  }
  const char* groups[] = {g0, g1, g2};
  for (size_t rest = 0; rest < grouped.size() % 4; ++rest) {
    to[4 * words + rest] = groups[rest][words];
  }
}

}  // namespace

XorbChunkHeader ParseXorbChunkHeader(std::string_view bytes) {
  auto at = reinterpret_cast<const unsigned char*>(bytes.data());
  if (bytes.size() < kXorbHeaderBytes) Malformed("chunk header is cut short");
  if (at[0] != 0) Malformed("unknown chunk version");
  if (at[4] > static_cast<uint8_t>(XorbScheme::kBg4Lz4)) Malformed("unknown compression");
  XorbChunkHeader header{static_cast<XorbScheme>(at[4]), Read24(at + 1), Read24(at + 5)};
  if (header.payload_bytes == 0 || header.payload_bytes > kXorbMaxPayloadBytes) {
    Malformed("stored length of a chunk is out of range");
  }
  if (header.unpacked_bytes == 0 || header.unpacked_bytes > kXetMaxChunkBytes) {
    Malformed("length of a chunk is out of range");
  }
  if (header.scheme == XorbScheme::kNone && header.payload_bytes != header.unpacked_bytes) {
    Malformed("lengths of an uncompressed chunk differ");
  }
  return header;
}

void UnpackXorbChunk(const XorbChunkHeader& header, std::string_view payload, std::string& out) {
  out.resize(header.unpacked_bytes);
  UnpackXorbChunk(header, payload, out.data());
}

void UnpackXorbChunk(const XorbChunkHeader& header, std::string_view payload, char* out) {
  if (payload.size() != header.payload_bytes) Malformed("chunk payload is cut short");
  if (header.scheme == XorbScheme::kNone) {
    if (payload.size() != header.unpacked_bytes) {
      Malformed("lengths of an uncompressed chunk differ");
    }
    std::memcpy(out, payload.data(), payload.size());
    return;
  }
  if (header.scheme == XorbScheme::kLz4) return DecodeFrame(payload, out, header.unpacked_bytes);
  thread_local std::string grouped;
  grouped.resize(header.unpacked_bytes);
  DecodeFrame(payload, grouped.data(), grouped.size());
  UngroupByFour(grouped, out);
}

void PackXorbChunk(std::string_view chunk, XorbScheme scheme, std::string& out) {
  if (chunk.empty() || chunk.size() > kXetMaxChunkBytes) {
    throw Error(Code::kInternal, "a xorb chunk has 1 byte to 128 KiB");
  }
  std::string packed;
  if (scheme == XorbScheme::kLz4) packed = EncodeFrame(chunk);
  if (scheme == XorbScheme::kBg4Lz4) packed = EncodeFrame(GroupByFour(chunk));
  bool stored_raw = scheme == XorbScheme::kNone || packed.size() >= chunk.size();
  std::string_view payload = stored_raw ? chunk : std::string_view(packed);
  out += '\0';
  Append24(static_cast<uint32_t>(payload.size()), out);
  out += static_cast<char>(stored_raw ? XorbScheme::kNone : scheme);
  Append24(static_cast<uint32_t>(chunk.size()), out);
  out += payload;
}

}  // namespace hearth::storage

// One chunk record: header, LZ4 frames and byte grouping.
#include <lz4frame.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "base/error.h"
#include "storage/xet/chunker.h"
#include "storage/xet/internal/lz4_frame.h"
#include "storage/xet/xorb.h"

namespace hearth::storage {
namespace {

using internal::Strictness;

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

// Decodes exactly one frame of any kind that fills `out` and ends with the payload.
void DecodeByLibrary(std::string_view payload, char* out, size_t out_bytes) {
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

void DecodeFrames(std::span<internal::PlainFrame> frames, Strictness strictness) {
  internal::DecodePlainFrames(frames, strictness);
  for (const internal::PlainFrame& frame : frames) {
    if (frame.result == internal::FrameResult::kBad) {
      Malformed("bad LZ4 frame, or of another length than its header says");
    }
    if (frame.result == internal::FrameResult::kOther) {
      DecodeByLibrary(frame.payload, frame.out, frame.out_bytes);
    }
  }
}

// The frame of `bytes`; valid until the thread's next call. The buffer stays: at this size the
// allocator would return it to the system each time, and faulting it in again costs more than
// compressing.
std::string_view EncodeFrame(std::string_view bytes) {
  LZ4F_preferences_t preferences = {};
  preferences.frameInfo.blockSizeID = bytes.size() <= (64 << 10) ? LZ4F_max64KB : LZ4F_max256KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  thread_local std::string out;
  size_t bound = LZ4F_compressFrameBound(bytes.size(), &preferences);
  if (out.size() < bound) out.resize(bound);
  size_t written =
      LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), &preferences);
  if (LZ4F_isError(written)) throw Error(Code::kInternal, LZ4F_getErrorName(written));
  return std::string_view(out).substr(0, written);
}

// Group k of n bytes holds the indexes k, k+4, k+8 ...
size_t GroupBytes(size_t bytes, size_t group) { return (bytes + 3 - group) / 4; }

// 16 bytes in one register. The shuffles below become the interleaving and packing instructions
// that every 64-bit processor has; byte by byte, (un)grouping costs more than LZ4 itself.
typedef char Vector __attribute__((vector_size(16)));

Vector Load(const char* from) {
  Vector value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

void Store(Vector value, char* to) { std::memcpy(to, &value, sizeof(value)); }

Vector EvenBytes(Vector a, Vector b) {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}

Vector OddBytes(Vector a, Vector b) {
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

Vector LowBytes(Vector a, Vector b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

Vector HighBytes(Vector a, Vector b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                 31);
}

Vector LowPairs(Vector a, Vector b) {
  return __builtin_shufflevector(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
}

Vector HighPairs(Vector a, Vector b) {
  return __builtin_shufflevector(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30,
                                 31);
}

// Valid until the thread's next call.
std::string_view GroupByFour(std::string_view bytes) {
  thread_local std::string out;
  if (out.size() < bytes.size()) out.resize(bytes.size());
  char* to[4] = {out.data()};
  for (size_t k = 1; k < 4; ++k) to[k] = to[k - 1] + GroupBytes(bytes.size(), k - 1);
  const char* from = bytes.data();
  size_t words = bytes.size() / 4;
  size_t i = 0;
  for (; i + 16 <= words; i += 16) {
    Vector v0 = Load(from + 4 * i), v1 = Load(from + 4 * i + 16);
    Vector v2 = Load(from + 4 * i + 32), v3 = Load(from + 4 * i + 48);
    Vector even0 = EvenBytes(v0, v1), even1 = EvenBytes(v2, v3);  // groups 0 and 2 alternate
    Vector odd0 = OddBytes(v0, v1), odd1 = OddBytes(v2, v3);
    Store(EvenBytes(even0, even1), to[0] + i);
    Store(EvenBytes(odd0, odd1), to[1] + i);
    Store(OddBytes(even0, even1), to[2] + i);
    Store(OddBytes(odd0, odd1), to[3] + i);
  }
  for (size_t at = 4 * i; at < bytes.size(); ++at) to[at % 4][at / 4] = from[at];
  return std::string_view(out).substr(0, bytes.size());
}

// All four groups in one pass, so that each output word is written whole.
void UngroupByFour(std::string_view grouped, char* to) {
  const char* from[4] = {grouped.data()};
  for (size_t k = 1; k < 4; ++k) from[k] = from[k - 1] + GroupBytes(grouped.size(), k - 1);
  size_t words = grouped.size() / 4;
  size_t i = 0;
  for (; i + 16 <= words; i += 16) {
    Vector g0 = Load(from[0] + i), g1 = Load(from[1] + i);
    Vector g2 = Load(from[2] + i), g3 = Load(from[3] + i);
    Vector low01 = LowBytes(g0, g1), high01 = HighBytes(g0, g1);
    Vector low23 = LowBytes(g2, g3), high23 = HighBytes(g2, g3);
    Store(LowPairs(low01, low23), to + 4 * i);
    Store(HighPairs(low01, low23), to + 4 * i + 16);
    Store(LowPairs(high01, high23), to + 4 * i + 32);
    Store(HighPairs(high01, high23), to + 4 * i + 48);
  }
  for (size_t at = 4 * i; at < grouped.size(); ++at) to[at] = from[at % 4][at / 4];
}

// Two are decoded at a time. More give the second one a successor when the first ends early; their
// groups, half a megabyte at most, still stay in a core's own cache.
constexpr size_t kChunksTogether = 4;

void UnpackFew(std::span<const XorbChunkUnpacking> chunks, Strictness strictness) {
  thread_local std::string grouped;
  internal::PlainFrame frames[kChunksTogether];
  size_t compressed = 0, grouped_bytes = 0;
  for (const XorbChunkUnpacking& chunk : chunks) {
    if (chunk.payload.size() != chunk.header.payload_bytes) Malformed("chunk payload is cut short");
    if (chunk.header.scheme == XorbScheme::kBg4Lz4) grouped_bytes += chunk.header.unpacked_bytes;
  }
  if (grouped.size() < grouped_bytes) grouped.resize(grouped_bytes);
  char* next_grouped = grouped.data();
  for (const XorbChunkUnpacking& chunk : chunks) {
    size_t bytes = chunk.header.unpacked_bytes;
    if (chunk.header.scheme == XorbScheme::kNone) {
      if (chunk.payload.size() != bytes) Malformed("lengths of an uncompressed chunk differ");
      chunk.payload.copy(chunk.out, bytes);
    } else if (chunk.header.scheme == XorbScheme::kLz4) {
      frames[compressed++] = {chunk.payload, chunk.out, bytes};
    } else {
      frames[compressed++] = {chunk.payload, next_grouped, bytes};
      next_grouped += bytes;
    }
  }
  DecodeFrames({frames, compressed}, strictness);
  next_grouped = grouped.data();
  for (const XorbChunkUnpacking& chunk : chunks) {
    if (chunk.header.scheme != XorbScheme::kBg4Lz4) continue;
    UngroupByFour({next_grouped, chunk.header.unpacked_bytes}, chunk.out);
    next_grouped += chunk.header.unpacked_bytes;
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

void UnpackSentChunk(const XorbChunkHeader& header, std::string_view payload, std::string& out) {
  if (header.scheme != XorbScheme::kNone) {
    if (const char* fault = internal::FindUnportable(payload)) Malformed(fault);
  }
  out.resize(header.unpacked_bytes);
  XorbChunkUnpacking one{header, payload, out.data()};
  UnpackFew({&one, 1}, Strictness::kEveryClient);
}

void UnpackXorbChunk(const XorbChunkHeader& header, std::string_view payload, char* out) {
  XorbChunkUnpacking one{header, payload, out};
  UnpackXorbChunks({&one, 1});
}

void UnpackXorbChunks(std::span<const XorbChunkUnpacking> chunks) {
  while (!chunks.empty()) {
    size_t few = std::min(chunks.size(), kChunksTogether);
    UnpackFew(chunks.first(few), Strictness::kLibrary);
    chunks = chunks.subspan(few);
  }
}

void PackXorbChunk(std::string_view chunk, XorbScheme scheme, std::string& out) {
  if (chunk.empty() || chunk.size() > kXetMaxChunkBytes) {
    throw Error(Code::kInternal, "a xorb chunk has 1 byte to 128 KiB");
  }
  std::string_view packed;
  if (scheme == XorbScheme::kLz4) packed = EncodeFrame(chunk);
  if (scheme == XorbScheme::kBg4Lz4) packed = EncodeFrame(GroupByFour(chunk));
  bool stored_raw = scheme == XorbScheme::kNone || packed.size() >= chunk.size();
  std::string_view payload = stored_raw ? chunk : packed;
  out += '\0';
  Append24(static_cast<uint32_t>(payload.size()), out);
  out += static_cast<char>(stored_raw ? XorbScheme::kNone : scheme);
  Append24(static_cast<uint32_t>(chunk.size()), out);
  out += payload;
}

}  // namespace hearth::storage

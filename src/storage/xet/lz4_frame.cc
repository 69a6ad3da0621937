#include <lz4.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "storage/xet/internal/lz4_frame.h"

namespace hearth::storage::internal {
namespace {

constexpr uint32_t kMagic = 0x184d2204;
// Magic, FLG, BD and the header's checksum.
constexpr size_t kHeaderBytes = 7;
constexpr size_t kContentSizeBytes = 8;
// FLG: version 1 with independent blocks. The size of the content may be announced; what else may
// be set is not for this decoder.
constexpr uint8_t kPlainFlags = 0x60;
constexpr uint8_t kContentSizeFlag = 0x08;
constexpr uint32_t kStoredBlock = 0x80000000;

uint32_t Read32(const char* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

uint64_t Read64(const char* at) {
  uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// XXH32 with seed 0, of less than 16 bytes.
uint32_t ShortXxh32(std::string_view bytes) {
  constexpr uint32_t k1 = 2654435761u, k2 = 2246822519u, k3 = 3266489917u, k4 = 668265263u,
                     k5 = 374761393u;
  uint32_t hash = k5 + static_cast<uint32_t>(bytes.size());
  for (; bytes.size() >= 4; bytes.remove_prefix(4)) {
    hash = std::rotl(hash + Read32(bytes.data()) * k3, 17) * k4;
  }
  for (char byte : bytes) hash = std::rotl(hash + static_cast<uint8_t>(byte) * k5, 11) * k1;
  hash = (hash ^ hash >> 15) * k2;
  hash = (hash ^ hash >> 13) * k3;
  return hash ^ hash >> 16;
}

// The largest block of a frame, from BD; 0 for none that there is.
size_t BlockLimit(uint8_t descriptor) {
  unsigned code = descriptor >> 4;
  if ((descriptor & 0x8f) != 0 || code < 4) return 0;
  return size_t{64 << 10} << 2 * (code - 4);
}

}  // namespace

FrameResult DecodePlainFrame(std::string_view payload, char* out, size_t out_bytes) {
  if (payload.size() < kHeaderBytes || Read32(payload.data()) != kMagic) return FrameResult::kOther;
  auto flags = static_cast<uint8_t>(payload[4]);
  if ((flags & ~kContentSizeFlag) != kPlainFlags) return FrameResult::kOther;
  size_t header_bytes = kHeaderBytes + (flags & kContentSizeFlag ? kContentSizeBytes : 0);
  size_t block_limit = BlockLimit(static_cast<uint8_t>(payload[5]));
  if (block_limit == 0 || payload.size() < header_bytes) return FrameResult::kBad;
  std::string_view descriptor = payload.substr(4, header_bytes - 5);
  if (static_cast<uint8_t>(payload[header_bytes - 1]) != (ShortXxh32(descriptor) >> 8 & 0xff)) {
    return FrameResult::kBad;
  }
  if (flags & kContentSizeFlag && Read64(payload.data() + 6) != out_bytes) return FrameResult::kBad;
  payload.remove_prefix(header_bytes);
  while (true) {
    if (payload.size() < sizeof(uint32_t)) return FrameResult::kBad;
    uint32_t head = Read32(payload.data());
    payload.remove_prefix(sizeof head);
    if (head == 0) break;
    size_t block_bytes = head & ~kStoredBlock;
    if (block_bytes > block_limit || block_bytes > payload.size()) return FrameResult::kBad;
    size_t room = std::min(out_bytes, block_limit);
    size_t produced = block_bytes;
    if (head & kStoredBlock) {
      if (block_bytes > room) return FrameResult::kBad;
      std::memcpy(out, payload.data(), block_bytes);
    } else {
      int decoded = ::LZ4_decompress_safe(payload.data(), out, static_cast<int>(block_bytes),
                                          static_cast<int>(room));
      if (decoded < 0) return FrameResult::kBad;
      produced = static_cast<size_t>(decoded);
    }
    payload.remove_prefix(block_bytes);
    out += produced;
    out_bytes -= produced;
  }
  return payload.empty() && out_bytes == 0 ? FrameResult::kDecoded : FrameResult::kBad;
}

}  // namespace hearth::storage::internal

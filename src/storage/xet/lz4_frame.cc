#include "storage/xet/internal/lz4_frame.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "storage/xet/internal/lz4_block.h"

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
constexpr uint8_t kBlockChecksumFlag = 0x10;
constexpr uint8_t kDictionaryFlag = 0x01;
// Enough that two of them run side by side nearly always.
constexpr size_t kFramesTogether = 8;

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

// A frame of which the blocks up to `payload` are decoded.
struct OpenFrame {
  std::string_view payload;
  char* out;
  size_t out_bytes;  // that are still to come
  size_t block_limit = 0;
  FrameResult result = FrameResult::kDecoded;

  void TakeHeader();
  // Takes the blocks that are stored as they are; whether a compressed one, `block`, follows.
  bool FindBlock(Lz4Block* block);
  void TakeBlock(const Lz4Block& block);

 private:
  bool Refuse() {
    result = FrameResult::kBad;
    return false;
  }
  void Advance(size_t produced) {
    out += produced;
    out_bytes -= produced;
  }
};

void OpenFrame::TakeHeader() {
  result = FrameResult::kOther;
  if (payload.size() < kHeaderBytes || Read32(payload.data()) != kMagic) return;
  auto flags = static_cast<uint8_t>(payload[4]);
  if ((flags & ~kContentSizeFlag) != kPlainFlags) return;
  result = FrameResult::kBad;
  size_t header_bytes = kHeaderBytes + (flags & kContentSizeFlag ? kContentSizeBytes : 0);
  block_limit = BlockLimit(static_cast<uint8_t>(payload[5]));
  if (block_limit == 0 || payload.size() < header_bytes) return;
  std::string_view descriptor = payload.substr(4, header_bytes - 5);
  auto checksum = static_cast<uint8_t>(payload[header_bytes - 1]);
  if (checksum != (ShortXxh32(descriptor) >> 8 & 0xff)) return;
  if (flags & kContentSizeFlag && Read64(payload.data() + 6) != out_bytes) return;
  payload.remove_prefix(header_bytes);
  result = FrameResult::kDecoded;
}

bool OpenFrame::FindBlock(Lz4Block* block) {
  if (result != FrameResult::kDecoded) return false;
  while (true) {
    if (payload.size() < sizeof(uint32_t)) return Refuse();
    uint32_t head = Read32(payload.data());
    payload.remove_prefix(sizeof head);
    if (head == 0) return payload.empty() && out_bytes == 0 ? false : Refuse();
    size_t block_bytes = head & ~kStoredBlock;
    if (block_bytes > block_limit || block_bytes > payload.size()) return Refuse();
    std::string_view bytes = payload.substr(0, block_bytes);
    payload.remove_prefix(block_bytes);
    size_t room = std::min(out_bytes, block_limit);
    if ((head & kStoredBlock) == 0) {
      *block = {bytes, out, room};
      return true;
    }
    if (block_bytes > room) return Refuse();
    bytes.copy(out, block_bytes);
    Advance(block_bytes);
  }
}

void OpenFrame::TakeBlock(const Lz4Block& block) {
  block.produced < 0 ? void(Refuse()) : Advance(static_cast<size_t>(block.produced));
}

void DecodeFew(std::span<PlainFrame> frames, Strictness strictness) {
  OpenFrame open[kFramesTogether];
  for (size_t i = 0; i < frames.size(); ++i) {
    open[i] = {frames[i].payload, frames[i].out, frames[i].out_bytes};
    open[i].TakeHeader();
  }
  while (true) {
    Lz4Block blocks[kFramesTogether];
    OpenFrame* of[kFramesTogether];
    size_t found = 0;
    for (size_t i = 0; i < frames.size(); ++i) {
      if (open[i].FindBlock(&blocks[found])) of[found++] = &open[i];
    }
    if (found == 0) break;
    if (strictness == Strictness::kEveryClient) {
      for (size_t i = 0; i < found; ++i) DecodeStrictly(blocks[i]);
    } else {
      DecodeBlocks({blocks, found});
    }
    for (size_t i = 0; i < found; ++i) of[i]->TakeBlock(blocks[i]);
  }
  for (size_t i = 0; i < frames.size(); ++i) frames[i].result = open[i].result;
}

}  // namespace

const char* FindUnportable(std::string_view payload) {
  if (payload.size() < kHeaderBytes || Read32(payload.data()) != kMagic) return nullptr;
  auto flags = static_cast<uint8_t>(payload[4]);
  if (flags & kDictionaryFlag) return "LZ4 frame needs a dictionary";
  if (flags & kBlockChecksumFlag) return "LZ4 frame has checksums of blocks";
  bool plain = (flags & ~kContentSizeFlag) == kPlainFlags;
  size_t header_bytes = kHeaderBytes + (flags & kContentSizeFlag ? kContentSizeBytes : 0);
  payload.remove_prefix(std::min(header_bytes, payload.size()));
  while (payload.size() >= sizeof(uint32_t)) {
    uint32_t head = Read32(payload.data());
    if (head == 0) return nullptr;
    payload.remove_prefix(sizeof head);
    size_t bytes = std::min<size_t>(head & ~kStoredBlock, payload.size());
    bool stored = head & kStoredBlock;
    // A compressed block of one byte is a token without literals.
    if (bytes < (stored ? 1 : 2)) return "LZ4 frame has an empty block";
    // In plain frames the decoder finds them, which takes no time.
    if (!stored && !plain && HasOffsetOfZero(payload.substr(0, bytes)))
      return "LZ4 block has an offset of 0";
    payload.remove_prefix(bytes);
  }
  return nullptr;
}

void DecodePlainFrames(std::span<PlainFrame> frames, Strictness strictness) {
  while (!frames.empty()) {
    size_t few = std::min(frames.size(), kFramesTogether);
    DecodeFew(frames.first(few), strictness);
    frames = frames.subspan(few);
  }
}

}  // namespace hearth::storage::internal

#include "storage/xet/chunker.h"

#include <algorithm>

#include "storage/xet/internal/gear_table.h"

namespace hearth::storage {
namespace {

// 16 bits must be zero: one position in 65536.
constexpr uint64_t kCutMask = 0xFFFF000000000000;
// The hash forgets a byte after 64 steps, so scanning starts just far enough before the first
// possible cut.
constexpr size_t kSkipBytes = kXetMinChunkBytes - 65;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Chunker::Scan Chunker::FindCut(std::string_view bytes) {
  const unsigned char* data = Bytes(bytes);
  size_t limit = std::min(bytes.size(), kXetMaxChunkBytes - chunk_bytes_);
  size_t at = 0;
  if (chunk_bytes_ < kSkipBytes) at = std::min(limit, kSkipBytes - chunk_bytes_);
  uint64_t gear = gear_;
  // Warm-up: bytes before the minimum size fill the window but cannot end the chunk.
  size_t first_test = kXetMinChunkBytes - 1;
  size_t warm_end = chunk_bytes_ < first_test ? std::min(limit, first_test - chunk_bytes_) : 0;
  for (; at < warm_end; ++at) gear = (gear << 1) + internal::kGearTable[data[at]];

  // Eight steps per turn: the add chain is the only dependency and the tests predict well.
  for (; at + 8 <= limit; at += 8) {
    for (size_t i = 0; i < 8; ++i) {
      gear = (gear << 1) + internal::kGearTable[data[at + i]];
      if ((gear & kCutMask) == 0) return {at + i + 1, true};
    }
  }
  for (; at < limit; ++at) {
    gear = (gear << 1) + internal::kGearTable[data[at]];
    if ((gear & kCutMask) == 0) return {at + 1, true};
  }
  gear_ = gear;
  return {limit, chunk_bytes_ + limit == kXetMaxChunkBytes};
}

void Chunker::Feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    Scan scan = FindCut(bytes);
    std::string_view part = bytes.substr(0, scan.bytes);
    bytes.remove_prefix(scan.bytes);
    if (!scan.is_cut) {
      carried_ += part;
      chunk_bytes_ += part.size();
      continue;
    }
    gear_ = 0;
    chunk_bytes_ = 0;
    if (carried_.empty()) {
      sink(part);
      continue;
    }
    carried_ += part;
    sink(carried_);
    carried_.clear();
  }
}

void Chunker::Finish(const Sink& sink) {
  std::string last;
  last.swap(carried_);
  gear_ = 0;
  chunk_bytes_ = 0;
  if (!last.empty()) sink(last);
}

}  // namespace hearth::storage

#include "tokenizers/segment_encoders/byte_bpe_classes.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace hearth::tokenizers {
namespace {

constexpr uint32_t kChanges[] = {
#include "tokenizers/segment_encoders/byte_bpe_classes.inc"
};

}  // namespace

ByteBpeClasses::ByteBpeClasses() {
  int used = 0;
  uint8_t block[256];
  auto finish_block = [&](uint32_t first) {
    int same = 0;
    while (same < used && std::memcmp(blocks_[same], block, 256) != 0) ++same;
    if (same == used && used + 1 < kBlocks) std::memcpy(blocks_[used++], block, 256);
    block_[(first >> 8) - 0x100] = static_cast<uint8_t>(same);
  };
  for (size_t i = 0; i < std::size(kChanges); ++i) {
    uint32_t first = kChanges[i] >> 8;
    uint32_t end = i + 1 < std::size(kChanges) ? kChanges[i + 1] >> 8 : 0x110000;
    auto value = static_cast<uint8_t>(kChanges[i]);
    while (first < end) {
      uint32_t stop = std::min(end, (first | 0xFF) + 1);
      uint8_t* to = first < 0x10000 ? plane0_ + first : block + (first & 0xFF);
      std::memset(to, value, stop - first);
      if (first >= 0x10000 && (stop & 0xFF) == 0) finish_block(first & ~0xFFu);
      first = stop;
    }
  }
}

const ByteBpeClasses& ByteBpeClasses::Get() {
  static const ByteBpeClasses table;
  return table;
}

}  // namespace hearth::tokenizers

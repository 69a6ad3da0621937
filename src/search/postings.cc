#include "search/internal/postings.h"

#include <bit>

namespace hearth::search {

void PostingWriter::FlushFull() {
  uint32_t all = 0;
  for (uint32_t difference : ids_) all |= difference;
  auto width = static_cast<unsigned>(std::bit_width(all));
  out_->push_back(static_cast<char>(width));
  uint64_t pending = 0;
  unsigned bits = 0;
  for (uint32_t difference : ids_) {
    pending |= static_cast<uint64_t>(difference) << bits;
    bits += width;
    while (bits >= 8) {
      out_->push_back(static_cast<char>(pending));
      pending >>= 8;
      bits -= 8;
    }
  }
  out_->append(reinterpret_cast<const char*>(impacts_.data()), kBlock);
  count_ = 0;
}

size_t PostingReader::Next() {
  if (left_ == 0) return 0;
  size_t count = static_cast<size_t>(std::min<uint64_t>(left_, kBlock));
  left_ -= count;
  if (count < kBlock) {
    for (size_t i = 0; i < count; ++i) ids_[i] = last_ += static_cast<uint32_t>(in_.Varint());
    impacts_ = in_.Bytes(count).data();
    return count;
  }
  unsigned width = in_.Raw<uint8_t>();
  if (width > 32) ThrowDamaged("a width is too large");
  const char* packed = in_.Bytes(kBlock / 8 * width).data();
  const uint64_t mask = (uint64_t{1} << width) - 1;
  size_t bit = 0;
  for (size_t i = 0; i < kBlock; ++i, bit += width) {
    uint64_t word;
    std::memcpy(&word, packed + (bit >> 3), sizeof word);
    ids_[i] = last_ += static_cast<uint32_t>(word >> (bit & 7) & mask);
  }
  impacts_ = in_.Bytes(kBlock).data();
  return kBlock;
}

}  // namespace hearth::search

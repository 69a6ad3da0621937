// The documents of one term, rising by id, in blocks of 128:
//
//   full block   u8 width, 128 differences of `width` bits, 128 impacts of a byte
//   last block   varint differences, then the impacts
//
// The first difference is that to the last id of the block before (at first: to 0). The impact is
// the whole of the term's share in the document's score but for the term's rarity, scaled
// to 1..255.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "search/internal/packing.h"

namespace hearth::search {

inline constexpr size_t kBlock = 128;

class PostingWriter {
 public:
  explicit PostingWriter(std::string* out) : out_(out) {}
  // Ids must rise.
  void Add(uint32_t id, uint8_t impact) {
    ids_[count_] = id - last_;
    impacts_[count_] = impact;
    last_ = id;
    if (++count_ == kBlock) FlushFull();
  }
  void Finish() {
    for (size_t i = 0; i < count_; ++i) PutVarint(ids_[i], out_);
    out_->append(reinterpret_cast<const char*>(impacts_.data()), count_);
    count_ = 0;
    last_ = 0;
  }

 private:
  void FlushFull();

  std::string* out_;
  std::array<uint32_t, kBlock> ids_;
  std::array<uint8_t, kBlock> impacts_;
  uint32_t last_ = 0;
  size_t count_ = 0;
};

// Gives the postings block by block. `bytes` must have kPadding readable bytes behind it.
class PostingReader {
 public:
  PostingReader(std::string_view bytes, uint64_t count) : in_(bytes), left_(count) {}

  // The size of the next block; 0 at the end.
  size_t Next();
  uint32_t id(size_t i) const { return ids_[i]; }
  uint8_t impact(size_t i) const { return static_cast<uint8_t>(impacts_[i]); }

 private:
  ByteReader in_;
  uint64_t left_;
  uint32_t last_ = 0;
  std::array<uint32_t, kBlock> ids_;
  const char* impacts_ = nullptr;
};

}  // namespace hearth::search

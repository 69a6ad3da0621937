// The pieces that a thread has seen, with their ids.
//
// Two tables, for text repeats itself: pieces of at most 16 bytes, two per cache line with up to
// five ids beside the key, and longer ones by hash, kept whole in an arena so that a hit is always
// compared byte by byte. Both are sets of few places without chains: a newcomer displaces, so a
// probe is bounded whatever the text. They grow with what they hold up to a limit. One thread each.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizers/segment_encoders/piece_key.h"
#include "tokenizers/segment_encoders/probe_table.h"

namespace hearth::tokenizers {

class PieceCache {
 public:
  static constexpr uint32_t kInlineIds = 5;
  // A piece has at most as many ids as bytes. Ids of pieces with more than kInlineIds may be copied
  // this many at a time.
  static constexpr uint32_t kMostIds = kPieceKeyBytes;
  static constexpr size_t kMaxLongBytes = 512;  // longer pieces are not kept

  // Five numbers of 24 bits, then how many ids there are, 0 where the place is free. With more than
  // five the first number is where they lie in many(). So the ids of a line come out by one
  // shuffle, whether there are any or not.
  struct Value {
    uint8_t bytes[16];
    uint32_t count() const { return bytes[15]; }
    uint32_t Number(uint32_t i) const {
      return bytes[3 * i] | bytes[3 * i + 1] << 8 | uint32_t{bytes[3 * i + 2]} << 16;
    }
    void SetNumber(uint32_t i, uint32_t number) { std::memcpy(bytes + 3 * i, &number, 3); }
  };
  struct alignas(64) Line {
    PieceKey keys[2];  // zero: free
    Value values[2];
  };
  static_assert(sizeof(Line) == 64);

  PieceCache();

  const Line* lines() const { return lines_; }
  int shift() const { return shift_; }
  // kMostIds may be read.
  const uint32_t* many(uint32_t at) const { return many_.data() + at; }

  // The value of a key that its own line lacks: overfull lines spill to their neighbour. It changes
  // places with one of its line, so that what is frequent is found at once.
  const Value* FetchSpilled(PieceKey key) {
    const uint64_t home = HashKey(key.low, key.high) >> shift_;
    Line& line = lines_[home ^ 1];
    for (int way : {0, 1}) {
      if (line.keys[way] != key) continue;
      std::swap(lines_[home].keys[1], line.keys[way]);
      std::swap(lines_[home].values[1], line.values[way]);
      return &lines_[home].values[1];
    }
    return nullptr;
  }

  // The pointers above are stale after Insert. Ids must not point into many().
  void Insert(PieceKey key, const uint32_t* ids, size_t count);

  static uint64_t HashLong(const uint8_t* piece, size_t size);
  // The ids of a piece of 17 bytes and more; count 0: unknown.
  struct Ids {
    const uint32_t* data;
    size_t count;
  };
  Ids FindLong(const uint8_t* piece, size_t size, uint64_t hash) const;
  // Asks for what FindLong will read, in two steps.
  void PrefetchSet(uint64_t hash) const {
    __builtin_prefetch(&long_slots_[(hash >> long_shift_) * kLongWays]);
  }
  void PrefetchRecord(uint64_t hash) const {
    const LongSlot* set = &long_slots_[(hash >> long_shift_) * kLongWays];
    for (size_t k = 0; k < kLongWays; ++k) {
      if (set[k].tag == static_cast<uint32_t>(hash) && set[k].at != 0) {
        __builtin_prefetch(arena_.data() + set[k].at - 1);
      }
    }
  }
  void InsertLong(const uint8_t* piece, size_t size, uint64_t hash, const uint32_t* ids,
                  size_t count);

 private:
  static constexpr size_t kLongWays = 4;
  struct LongSlot {
    uint32_t tag;  // low half of the hash; the high bits choose the set
    uint32_t at;   // of its record in arena_, plus one; 0: free
  };
  // A record is: size, count, ids, bytes (padded to words).

  void Place(const Line& from, int which);
  void Resize(int bits);
  void ResizeLong(int bits);
  void Forget();
  void ForgetLong();

  ProbeTable<Line> table_;
  Line* lines_ = nullptr;
  int shift_ = 0;
  size_t held_ = 0;
  std::vector<uint32_t> many_;

  std::vector<LongSlot> long_slots_;
  int long_shift_ = 0;
  size_t long_held_ = 0;
  std::vector<uint32_t> arena_;
};

inline uint64_t PieceCache::HashLong(const uint8_t* piece, size_t size) {
  uint64_t a = size * 0x9E3779B97F4A7C15u, b = 0x8CB92BA72F3D8DD7u;
  size_t i = 0;
  for (; i + 16 <= size; i += 16) {
    uint64_t words[2];
    std::memcpy(words, piece + i, 16);
    a = (a ^ words[0]) * 0xD6E8FEB86659FD93u;
    b = (b ^ words[1]) * 0x9E3779B97F4A7C15u;
    a ^= a >> 29;
    b ^= b >> 32;
  }
  uint64_t words[2];
  std::memcpy(words, piece + size - 16, 16);  // size > 16: overlaps what was read
  a = (a ^ words[0]) * 0xD6E8FEB86659FD93u;
  b = (b ^ words[1]) * 0x9E3779B97F4A7C15u;
  return (a ^ (b >> 31)) * 0xD6E8FEB86659FD93u + b;
}

inline PieceCache::Ids PieceCache::FindLong(const uint8_t* piece, size_t size,
                                            uint64_t hash) const {
  const LongSlot* set = &long_slots_[(hash >> long_shift_) * kLongWays];
  for (size_t k = 0; k < kLongWays; ++k) {
    if (set[k].tag != static_cast<uint32_t>(hash) || set[k].at == 0) continue;
    const uint32_t* record = arena_.data() + set[k].at - 1;
    if (record[0] != size || std::memcmp(record + 2 + record[1], piece, size) != 0) continue;
    return {record + 2, record[1]};
  }
  return {nullptr, 0};
}

}  // namespace hearth::tokenizers

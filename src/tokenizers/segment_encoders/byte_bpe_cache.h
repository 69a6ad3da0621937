// The pieces that a thread has seen, with their ids.
//
// Two tables, for text repeats itself: pieces of at most 16 bytes, two per cache line with up to
// three ids beside the key, and longer ones by hash, kept whole in an arena so that a hit is always
// compared byte by byte. Both are sets of few places without chains: a newcomer displaces, so a
// probe is bounded whatever the text. They grow with what they hold up to a limit. One thread each.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "tokenizers/segment_encoders/byte_bpe_plan.h"
#include "tokenizers/segment_encoders/byte_bpe_table.h"

namespace hearth::tokenizers {

class ByteBpePieceCache {
 public:
  static constexpr uint32_t kInlineIds = 3;
  static constexpr size_t kMaxLongBytes = 512;  // longer pieces are not kept

  struct Value {
    uint32_t ids[3];  // with more ids than that: ids[0] is where they lie in many()
    uint32_t count;
  };
  struct alignas(64) Line {
    ByteBpeKey keys[2];  // zero: free
    Value values[2];
  };
  static_assert(sizeof(Line) == 64);

  ByteBpePieceCache();

  const Line* lines() const { return lines_; }
  int shift() const { return shift_; }
  const uint32_t* many(const Value& value) const { return many_.data() + value.ids[0]; }

  // The value of a key that its own line lacks: overfull lines spill to their neighbour.
  const Value* FindSpilled(ByteBpeKey key) const {
    const Line& line = lines_[(HashKey(key.low, key.high) >> shift_) ^ 1];
    return line.keys[0] == key ? &line.values[0] : line.keys[1] == key ? &line.values[1] : nullptr;
  }

  // The pointers above are stale after Insert. Ids must not point into many().
  void Insert(ByteBpeKey key, const uint32_t* ids, size_t count);

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

  ByteBpeTable<Line> table_;
  Line* lines_ = nullptr;
  int shift_ = 0;
  size_t held_ = 0;
  std::vector<uint32_t> many_;

  std::vector<LongSlot> long_slots_;
  int long_shift_ = 0;
  size_t long_held_ = 0;
  std::vector<uint32_t> arena_;
};

inline uint64_t ByteBpePieceCache::HashLong(const uint8_t* piece, size_t size) {
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

inline ByteBpePieceCache::Ids ByteBpePieceCache::FindLong(const uint8_t* piece, size_t size,
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

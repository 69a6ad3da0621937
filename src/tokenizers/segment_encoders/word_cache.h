// A word's ids by its bytes: what makes a word that was seen before cost one probe.
//
// Two tables, one for words up to 15 bytes and one up to 31; the key is the word itself, zero
// padded, with its length in the last byte, so a hit is exact. Tables grow to a fixed limit, where
// a new word takes the place of an older one, and a probe looks at a few neighbouring places only:
// memory is bounded, and an input made of nothing but new or colliding words costs a fixed amount
// per word. Up to three ids stand in the entry, more in a pool; a full pool empties the table.
//
// One per thread: not safe for concurrent use.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "tokenizers/segment_encoders/probe_table.h"

namespace hearth::tokenizers {

// The bytes of a word of at most 15 bytes, zero padded, with the length in byte 15.
struct ShortWord {
  static constexpr size_t kMaxBytes = 15;
  uint64_t parts[2] = {};

  // At least one byte. `readable` bytes may be read from `word` on: with 16 it is one load. Bytes
  // A-Z become a-z when `fold_case`.
  static ShortWord Make(const uint8_t* word, size_t size, size_t readable, bool fold_case);
  bool operator==(const ShortWord& other) const {
    return ((parts[0] ^ other.parts[0]) | (parts[1] ^ other.parts[1])) == 0;
  }
  uint64_t Hash() const;
};

// The same up to 31 bytes, with the length in byte 31.
struct LongWord {
  static constexpr size_t kMaxBytes = 31;
  uint64_t parts[4] = {};

  // As ShortWord::Make; with 32 readable bytes it is two loads.
  static LongWord Make(const uint8_t* word, size_t size, size_t readable, bool fold_case);
  bool operator==(const LongWord& other) const {
    return ((parts[0] ^ other.parts[0]) | (parts[1] ^ other.parts[1]) |
            (parts[2] ^ other.parts[2]) | (parts[3] ^ other.parts[3])) == 0;
  }
  uint64_t Hash() const;
};

// `ids` may be read up to four places, however small the count is.
struct WordIds {
  const uint32_t* ids;
  uint32_t count;
};

template <typename Word, size_t kFirstBits, size_t kMaxBits>
class WordTable {
 public:
  WordTable() { entries_.Assign((size_t{1} << kFirstBits) + kProbes, Entry()); }

  size_t Place(const Word& word) const { return word.Hash() & mask_; }
  void Prefetch(size_t place) const { __builtin_prefetch(entries_.data() + place); }
  // Of the ids of the word at a place that was prefetched before.
  void PrefetchIds(size_t place) const {
    const Entry& entry = entries_.data()[place];
    if (entry.count > kInlineIds) __builtin_prefetch(pool_.data() + entry.ids[0]);
  }

  // `place` is Place(word), asked after the last Insert. The result lives until the next Insert.
  bool Find(const Word& word, size_t place, WordIds* found) const {
    const Entry* entry = entries_.data() + place;
    for (size_t i = 0; i < kProbes; ++i, ++entry) {
      if (entry->word == word) {
        found->count = entry->count;
        found->ids = entry->count <= kInlineIds ? entry->ids : &pool_[entry->ids[0]];
        return true;
      }
      if (entry->word == Word()) return false;
    }
    return false;
  }

  // The word must not be there yet.
  void Insert(const Word& word, const uint32_t* ids, size_t count) {
    if (used_ * 2 > mask_ && mask_ + 1 < kMostEntries) Grow();
    if (pool_.size() + count > kMaxPoolIds) Clear();
    Entry fresh;
    fresh.word = word;
    fresh.count = static_cast<uint32_t>(count);
    if (count <= kInlineIds) {
      std::copy(ids, ids + count, fresh.ids);
    } else {
      fresh.ids[0] = static_cast<uint32_t>(pool_.size());
      pool_.insert(pool_.end(), ids, ids + count);
    }
    Put(fresh);
  }

  size_t bytes() const { return entries_.size() * sizeof(Entry) + pool_.capacity() * 4; }

 private:
  static constexpr size_t kInlineIds = 3;
  static constexpr size_t kProbes = 8;
  static constexpr size_t kMostEntries = size_t{1} << kMaxBits;
  static constexpr size_t kMaxPoolIds = 4 * kMostEntries;

  struct Entry {
    Word word;  // all zero: free
    uint32_t ids[kInlineIds] = {};
    uint32_t count = 0;  // above kInlineIds: ids[0] is a position in the pool
  };

  void Put(const Entry& fresh) {
    Entry* entry = entries_.data() + Place(fresh.word);
    for (size_t i = 0; i < kProbes; ++i) {
      if (entry[i].word == Word()) {
        entry[i] = fresh;
        ++used_;
        return;
      }
    }
    entry[0] = fresh;  // the oldest of a crowded place goes
  }

  // In steps of four: each step moves all that is there.
  void Grow() {
    mask_ = std::min((mask_ + 1) * 4, kMostEntries) - 1;
    ProbeTable<Entry> old;
    std::swap(old, entries_);
    entries_.Assign(mask_ + 1 + kProbes, Entry());
    used_ = 0;
    for (const Entry* entry = old.data(); entry != old.data() + old.size(); ++entry) {
      if (!(entry->word == Word())) Put(*entry);
    }
  }

  void Clear() {
    std::fill_n(entries_.data(), entries_.size(), Entry());
    pool_.clear();
    used_ = 0;
  }

  size_t mask_ = (size_t{1} << kFirstBits) - 1;
  size_t used_ = 0;
  ProbeTable<Entry> entries_;
  std::vector<uint32_t> pool_;
};

// At the limit 8 MiB and 6 MiB: room for the distinct words of 16 MB of text in a hundred
// languages. A scratch starts with 128 KiB and 48 KiB.
struct WordCache {
  WordTable<ShortWord, 12, 18> short_words;
  WordTable<LongWord, 10, 17> long_words;
};

namespace internal {

// Folds A-Z in eight bytes at once; bytes from 0x80 stay.
inline uint64_t FoldCase(uint64_t bytes) {
  uint64_t low7 = bytes & 0x7F7F7F7F7F7F7F7F;
  uint64_t from_a = low7 + 0x3F3F3F3F3F3F3F3F;   // bit 7 set: at least 'A'
  uint64_t after_z = low7 + 0x2525252525252525;  // bit 7 set: above 'Z'
  uint64_t upper = (from_a & ~after_z & ~bytes) & 0x8080808080808080;
  return bytes | upper >> 2;
}

// 32 bytes of ones, then as many zeros: from kKept + 32 - n on, n bytes that are kept.
inline constexpr std::array<uint8_t, 64> kKept = [] {
  std::array<uint8_t, 64> bytes{};
  for (size_t i = 0; i < 32; ++i) bytes[i] = 0xFF;
  return bytes;
}();

// The first `size` bytes of `word`, the rest zeros. Without a branch on the size, which nobody can
// foretell, where all of `parts` may be read.
template <size_t kParts>
void LoadWord(const uint8_t* word, size_t size, size_t readable, uint64_t (&parts)[kParts]) {
  if (readable < sizeof(parts)) {
    std::memcpy(parts, word, size);
    return;
  }
  uint64_t kept[kParts];
  std::memcpy(parts, word, sizeof(parts));
  std::memcpy(kept, kKept.data() + 32 - size, sizeof(parts));
  for (size_t i = 0; i < kParts; ++i) parts[i] &= kept[i];
}

inline uint64_t FoldProduct(uint64_t a, uint64_t b) {
  unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace internal

inline ShortWord ShortWord::Make(const uint8_t* word, size_t size, size_t readable,
                                 bool fold_case) {
  ShortWord key;
  internal::LoadWord(word, size, readable, key.parts);
  if (fold_case) {
    for (uint64_t& part : key.parts) part = internal::FoldCase(part);
  }
  key.parts[1] |= static_cast<uint64_t>(size) << 56;
  return key;
}

// The constants (from the golden ratio and the square root of 5) keep factors of real words from
// being zero.
inline uint64_t ShortWord::Hash() const {
  return internal::FoldProduct(parts[0] ^ 0x9E3779B97F4A7C15, parts[1] ^ 0xD1B54A32D192ED03);
}

inline LongWord LongWord::Make(const uint8_t* word, size_t size, size_t readable, bool fold_case) {
  LongWord key;
  internal::LoadWord(word, size, readable, key.parts);
  if (fold_case) {
    for (uint64_t& part : key.parts) part = internal::FoldCase(part);
  }
  key.parts[3] |= static_cast<uint64_t>(size) << 56;
  return key;
}

inline uint64_t LongWord::Hash() const {
  uint64_t first =
      internal::FoldProduct(parts[0] ^ 0x9E3779B97F4A7C15, parts[1] ^ 0xD1B54A32D192ED03);
  uint64_t second =
      internal::FoldProduct(parts[2] ^ 0x8BB84B93962EACC9, parts[3] ^ 0x2D358DCCAA6C78A5);
  return internal::FoldProduct(first ^ 0x9E3779B97F4A7C15, second ^ 0xD1B54A32D192ED03);
}

}  // namespace hearth::tokenizers

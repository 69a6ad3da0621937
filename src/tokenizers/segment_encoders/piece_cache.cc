#include "tokenizers/segment_encoders/piece_cache.h"

#include <algorithm>
#include <utility>

namespace hearth::tokenizers {
namespace {

// 256 kB to begin with, which level 2 holds; 32 MB at most, half a million pieces.
constexpr int kFirstBits = 12;
constexpr int kLastBits = 19;
constexpr int kLongFirstBits = 10;
constexpr int kLongLastBits = 17;
constexpr size_t kMaxManyIds = size_t{4} << 20;  // their places fit 24 bits
constexpr size_t kMaxArenaWords = size_t{8} << 20;

}  // namespace

PieceCache::PieceCache() {
  Resize(kFirstBits);
  ResizeLong(kLongFirstBits);
}

void PieceCache::Place(const Line& from, int which) {
  PieceKey key = from.keys[which];
  size_t home = HashKey(key.low, key.high) >> shift_;
  for (size_t at : {home, home ^ 1}) {
    for (int to : {0, 1}) {
      if (lines_[at].keys[to] != PieceKey{}) continue;
      lines_[at].keys[to] = key;
      lines_[at].values[to] = from.values[which];
      ++held_;
      return;
    }
  }
  Line& line = lines_[home];
  line.keys[1] = line.keys[0];
  line.values[1] = line.values[0];
  line.keys[0] = key;
  line.values[0] = from.values[which];
}

void PieceCache::Resize(int bits) {
  ProbeTable<Line> old;
  std::swap(old, table_);
  table_.Assign(size_t{1} << bits, Line{});
  lines_ = table_.data();
  shift_ = 64 - bits;
  held_ = 0;
  for (size_t i = 0; i < old.size(); ++i) {
    for (int which : {0, 1}) {
      if (old.data()[i].keys[which] != PieceKey{}) Place(old.data()[i], which);
    }
  }
}

void PieceCache::Forget() {
  std::memset(static_cast<void*>(lines_), 0, sizeof(Line) << (64 - shift_));
  held_ = 0;
  many_.clear();
}

void PieceCache::Insert(PieceKey key, const uint32_t* ids, size_t count) {
  if (count > kInlineIds && many_.size() + count > kMaxManyIds) Forget();
  Line one;
  one.keys[0] = key;
  one.values[0] = {};
  one.values[0].bytes[15] = static_cast<uint8_t>(count);
  if (count <= kInlineIds) {
    for (uint32_t i = 0; i < count; ++i) one.values[0].SetNumber(i, ids[i]);
  } else {
    size_t at = many_.empty() ? 0 : many_.size() - kMostIds;
    one.values[0].SetNumber(0, static_cast<uint32_t>(at));
    many_.resize(at + count + kMostIds);
    std::copy(ids, ids + count, many_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  int bits = 64 - shift_;
  // With half a piece per line one piece in 20 spills to the neighbour, and hardly a pair of lines
  // is full. Sparser tables cost more page faults in new text than they save in known text.
  if (bits < kLastBits && held_ * 2 > (size_t{1} << bits)) Resize(bits + 1);
  Place(one, 0);
}

void PieceCache::ResizeLong(int bits) {
  std::vector<LongSlot> old = std::exchange(long_slots_, {});
  long_slots_.assign(kLongWays << bits, LongSlot{0, 0});
  long_shift_ = 64 - bits;
  for (const LongSlot& slot : old) {
    if (slot.at == 0) continue;
    const uint32_t* record = arena_.data() + slot.at - 1;
    uint64_t hash = HashLong(reinterpret_cast<const uint8_t*>(record + 2 + record[1]), record[0]);
    LongSlot* set = &long_slots_[(hash >> long_shift_) * kLongWays];
    *std::find_if(set, set + kLongWays - 1, [](const LongSlot& s) { return s.at == 0; }) = slot;
  }
}

void PieceCache::ForgetLong() {
  long_slots_.assign(long_slots_.size(), LongSlot{0, 0});
  arena_.clear();
  long_held_ = 0;
}

void PieceCache::InsertLong(const uint8_t* piece, size_t size, uint64_t hash, const uint32_t* ids,
                            size_t count) {
  size_t words = 2 + count + (size + 3) / 4;
  if (arena_.size() + words > kMaxArenaWords) ForgetLong();
  int bits = 64 - long_shift_;
  if (bits < kLongLastBits && long_held_ > (size_t{1} << bits)) {
    ResizeLong(std::min(bits + 2, kLongLastBits));
  }
  size_t at = arena_.size();
  arena_.resize(at + words);
  uint32_t* record = arena_.data() + at;
  record[0] = static_cast<uint32_t>(size);
  record[1] = static_cast<uint32_t>(count);
  std::memcpy(record + 2, ids, count * sizeof(uint32_t));
  std::memcpy(record + 2 + count, piece, size);
  LongSlot* set = &long_slots_[(hash >> long_shift_) * kLongWays];
  std::copy_backward(set, set + kLongWays - 1, set + kLongWays);
  set[0] = {static_cast<uint32_t>(hash), static_cast<uint32_t>(at + 1)};
  ++long_held_;
}

}  // namespace hearth::tokenizers

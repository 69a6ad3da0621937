#include "text/internal/code_point_set.h"

#include <algorithm>
#include <map>
#include <optional>

namespace hearth {

CodePointSet CodePointSet::Of(std::vector<CodePointRange> ranges) {
  CodePointSet set;
  set.ranges_ = std::move(ranges);
  set.Normalize();
  return set;
}

void CodePointSet::Normalize() {
  std::sort(ranges_.begin(), ranges_.end(),
            [](const CodePointRange& a, const CodePointRange& b) { return a.first < b.first; });
  size_t kept = 0;
  for (const CodePointRange& range : ranges_) {
    if (kept > 0 && range.first <= ranges_[kept - 1].last + 1) {
      ranges_[kept - 1].last = std::max(ranges_[kept - 1].last, range.last);
    } else {
      ranges_[kept++] = range;
    }
  }
  ranges_.resize(kept);
}

void CodePointSet::Add(char32_t first, char32_t last) {
  ranges_.push_back({first, last});
  Normalize();
}

void CodePointSet::Add(const CodePointSet& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  Normalize();
}

CodePointSet CodePointSet::Negated() const {
  CodePointSet result;
  char32_t next = 0;
  for (const CodePointRange& range : ranges_) {
    if (range.first > next) result.ranges_.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLastCodePoint) result.ranges_.push_back({next, kLastCodePoint});
  return result;
}

CodePointSet CodePointSet::Intersection(const CodePointSet& other) const {
  CodePointSet result;
  size_t i = 0;
  size_t j = 0;
  while (i < ranges_.size() && j < other.ranges_.size()) {
    char32_t first = std::max(ranges_[i].first, other.ranges_[j].first);
    char32_t last = std::min(ranges_[i].last, other.ranges_[j].last);
    if (first <= last) result.ranges_.push_back({first, last});
    if (ranges_[i].last < other.ranges_[j].last) {
      ++i;
    } else {
      ++j;
    }
  }
  return result;
}

bool CodePointSet::Has(char32_t c) const {
  auto after = std::upper_bound(ranges_.begin(), ranges_.end(), c,
                                [](char32_t x, const CodePointRange& r) { return x < r.first; });
  return after != ranges_.begin() && c <= std::prev(after)->last;
}

namespace {

uint8_t LeadByte(char32_t c) {
  if (c < 0x80) return static_cast<uint8_t>(c);
  if (c < 0x800) return static_cast<uint8_t>(0xC0 | (c >> 6));
  if (c < 0x10000) return static_cast<uint8_t>(0xE0 | (c >> 12));
  return static_cast<uint8_t>(0xF0 | (c >> 18));
}

}  // namespace

std::array<uint8_t, 256> LeadBytes(const CodePointSet& set) {
  std::array<uint8_t, 256> bytes = {};
  for (const CodePointRange& range : set.ranges()) {
    for (char32_t c = range.first; c <= range.last && c < 0x80; ++c) bytes[c] = kByteIn;
    if (range.last < 0x80) continue;
    for (unsigned b = LeadByte(std::max<char32_t>(range.first, 0x80)); b <= LeadByte(range.last);
         ++b) {
      bytes[b] = kByteMaybe;
    }
  }
  // A byte that cannot begin a character is read as U+FFFD.
  if (set.Has(0xFFFD)) {
    for (unsigned b = 0x80; b < 0x100; ++b) bytes[b] = kByteMaybe;
  }
  return bytes;
}

namespace {

using Block = std::array<uint64_t, 4>;

// Bits first..last of a block.
void SetBits(uint32_t first, uint32_t last, Block* block) {
  for (uint32_t word = first >> 6; word <= last >> 6; ++word) {
    uint64_t bits = ~uint64_t{0};
    if (word == first >> 6) bits &= ~uint64_t{0} << (first & 63);
    if (word == last >> 6) bits &= ~uint64_t{0} >> (63 - (last & 63));
    (*block)[word] |= bits;
  }
}

}  // namespace

CodePointBitmap::CodePointBitmap(const CodePointSet& set)
    : bytes_(LeadBytes(set)), stage_((kLastCodePoint >> 8) + 1) {
  std::map<Block, uint16_t> known;
  auto place_of = [&](const Block& bits) {
    auto [where, fresh] = known.emplace(bits, static_cast<uint16_t>(known.size()));
    if (fresh) blocks_.insert(blocks_.end(), bits.begin(), bits.end());
    return where->second;
  };
  // Nearly all blocks are all in or all out.
  std::optional<uint16_t> none, all;
  size_t at = 0;
  const auto& ranges = set.ranges();
  for (char32_t block = 0; block < stage_.size(); ++block) {
    char32_t begin = block << 8;
    char32_t end = begin + 255;
    while (at < ranges.size() && ranges[at].last < begin) ++at;
    Block bits = {};
    if (at == ranges.size() || ranges[at].first > end) {
      if (!none) none = place_of(bits);
      stage_[block] = *none;
      continue;
    }
    if (ranges[at].first <= begin && ranges[at].last >= end) {
      bits.fill(~uint64_t{0});
      if (!all) all = place_of(bits);
      stage_[block] = *all;
      continue;
    }
    for (size_t i = at; i < ranges.size() && ranges[i].first <= end; ++i) {
      SetBits(std::max(ranges[i].first, begin) & 255, std::min(ranges[i].last, end) & 255, &bits);
    }
    stage_[block] = place_of(bits);
  }
}

}  // namespace hearth

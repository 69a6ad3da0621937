#include "hub/internal/name_index.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hearth::hub {
namespace {

size_t FindLinesPortable(std::string_view text, std::string_view pattern, LineWalk* walk) {
  while (walk->count < LineWalk::kRoom) {
    const char* begin = text.data() + walk->from;
    const void* hit = memmem(begin, text.size() - walk->from, pattern.data(), pattern.size());
    if (hit == nullptr) {
      walk->from = text.size();
      break;
    }
    size_t at = static_cast<size_t>(static_cast<const char*>(hit) - text.data());
    walk->Add(text.find(kNameEnd, at + pattern.size() - 1));
  }
  return walk->count;
}

#if defined(__x86_64__)
// First and last character at 32 places at once; what is between is compared where both fit. Once a
// line holds the pattern only its end is looked for. A pattern has a line's end, if any, as its
// last character, so the first end from a hit on is the end of its line.
__attribute__((target("avx2"))) size_t FindLinesAvx2(std::string_view text,
                                                     std::string_view pattern, LineWalk* walk) {
  const size_t size = pattern.size();
  const __m256i first = _mm256_set1_epi8(pattern.front());
  const __m256i last = _mm256_set1_epi8(pattern.back());
  const __m256i end = _mm256_set1_epi8(kNameEnd);
  bool held = false;  // by the line that `at` is in
  size_t at = walk->from;
  for (; at + size + 31 <= text.size(); at += 32) {
    const char* place = text.data() + at;
    __m256i begins = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(place));
    __m256i tails = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(place + size - 1));
    auto hits = static_cast<uint32_t>(_mm256_movemask_epi8(
        _mm256_and_si256(_mm256_cmpeq_epi8(begins, first), _mm256_cmpeq_epi8(tails, last))));
    if (hits == 0 && !held) continue;
    auto ends = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(begins, end)));
    while (held || hits != 0) {
      if (!held) {
        int bit = std::countr_zero(hits);
        hits &= hits - 1;
        if (size > 2 && std::memcmp(place + bit + 1, pattern.data() + 1, size - 2) != 0) continue;
        held = true;
        ends &= ~uint32_t{0} << bit;
      }
      if (ends == 0) break;
      int bit = std::countr_zero(ends);
      held = false;
      walk->Add(at + static_cast<size_t>(bit));
      if (walk->count == LineWalk::kRoom) return walk->count;
      uint32_t rest = ~uint32_t{1} << bit;
      hits &= rest;
      ends &= rest;
    }
  }
  walk->from = at;
  if (held) walk->Add(text.find(kNameEnd, at));
  return FindLinesPortable(text, pattern, walk);
}
#endif

}  // namespace

size_t FindLines(std::string_view text, std::string_view pattern, Tier tier, LineWalk* walk) {
  walk->count = 0;
#if defined(__x86_64__)
  if (tier >= Tier::kAvx2) return FindLinesAvx2(text, pattern, walk);
#endif
  return FindLinesPortable(text, pattern, walk);
}

bool NameIndex::MayOccur(std::string_view pattern) {
  if (pattern.empty()) return false;
  if (pattern.front() == kNameStart) pattern.remove_prefix(1);
  if (!pattern.empty() && pattern.back() == kNameEnd) pattern.remove_suffix(1);
  return std::all_of(pattern.begin(), pattern.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

std::vector<uint32_t> NameIndex::BitsOf(std::string_view text) {
  std::vector<uint32_t> bits;
  for (size_t i = 0; i + 3 <= text.size(); ++i) {
    auto byte = [&text, i](size_t at) { return static_cast<unsigned char>(text[i + at]); };
    uint32_t three = byte(0) | byte(1) << 8 | byte(2) << 16;
    bits.push_back(three * 2654435761u >> 19);  // the upper 13 bits: below kSignatureBits
  }
  return bits;
}

uint32_t NameIndex::RowAt(size_t at) const {
  uint64_t row = 0;
  for (size_t i = 0; i < kRowBytes; ++i)
    row |= static_cast<uint64_t>(static_cast<unsigned char>(text_[at + i]) & 0x7F) << (7 * i);
  return static_cast<uint32_t>(row);
}

void NameIndex::Set(uint32_t row, std::string_view name) {
  if (row >= at_.size()) {
    at_.resize(row + 1);
    bytes_.resize(row + 1);
  }
  if (bytes_[row] > 0 && At(row) == name) return;
  Remove(row);
  Append(row, name);
  UpdateKept(row);
}

void NameIndex::Append(uint32_t row, std::string_view name) {
  if (name.empty()) return;
  size_t begin = text_.size();
  if (chunks_.empty() || begin - chunks_.back() >= kChunkBytes) {
    chunks_.push_back(static_cast<uint32_t>(begin));
    signatures_.resize(signatures_.size() + kSignatureWords);
  }
  text_ += kNameStart;
  text_ += name;
  text_ += kNameEnd;
  uint64_t* words = signatures_.data() + (chunks_.size() - 1) * kSignatureWords;
  for (uint32_t bit : BitsOf(std::string_view(text_).substr(begin)))
    words[bit >> 6] |= uint64_t{1} << (bit & 63);
  for (size_t i = 0; i < kRowBytes; ++i)
    text_.push_back(static_cast<char>(0x80 | (static_cast<uint64_t>(row) >> (7 * i) & 0x7F)));
  at_[row] = static_cast<uint32_t>(begin + 1);
  bytes_[row] = static_cast<uint16_t>(name.size());
}

void NameIndex::Remove(uint32_t row) {
  if (row >= bytes_.size() || bytes_[row] == 0) return;
  dead_bytes_ += bytes_[row] + 2 + kRowBytes;
  bytes_[row] = 0;
  UpdateKept(row);
  if (dead_bytes_ > 4096 && dead_bytes_ > text_.size() / 2) Compact();
}

void NameIndex::Compact() {
  std::string old = std::move(text_);
  text_ = std::string();
  text_.reserve(old.size() - dead_bytes_);
  chunks_.clear();
  signatures_.clear();
  dead_bytes_ = 0;
  for (uint32_t row = 0; row < at_.size(); ++row) {
    if (bytes_[row] > 0) Append(row, std::string_view(old).substr(at_[row], bytes_[row]));
  }
}

Bitmap NameIndex::RowsOf(std::string_view pattern, size_t rows) const {
  {
    std::lock_guard lock(kept_->mutex);
    for (auto each = kept_->found.begin(); each != kept_->found.end(); ++each) {
      if (each->first != pattern) continue;
      kept_->found.splice(kept_->found.begin(), kept_->found, each);
      Bitmap known = each->second;
      known.Grow(rows);
      return known;
    }
  }
  Bitmap found(rows);
  size_t count = 0;
  Scan(pattern, [&](uint32_t row) {
    found.Set(row);
    ++count;
    return true;
  });
  // A text of three characters or more is found by signatures, quickly where few names hold it.
  if (pattern.size() >= 3 && count * 64 < rows) return found;
  std::lock_guard lock(kept_->mutex);
  kept_->found.emplace_front(pattern, found);
  size_t most = std::max<size_t>(4, kKeptBytes / (rows / 8 + 64));
  if (kept_->found.size() > most) kept_->found.pop_back();
  return found;
}

void NameIndex::UpdateKept(uint32_t row) {
  for (auto& [pattern, found] : kept_->found) {
    found.Grow(row + 1);
    if (Holds(row, pattern))
      found.Set(row);
    else
      found.Clear(row);
  }
}

std::string_view NameIndex::At(uint32_t row) const {
  if (row >= bytes_.size()) return {};
  return std::string_view(text_).substr(at_[row], bytes_[row]);
}

bool NameIndex::Holds(uint32_t row, std::string_view pattern) const {
  if (row >= bytes_.size() || bytes_[row] == 0) return false;
  std::string_view marked = std::string_view(text_).substr(at_[row] - 1, bytes_[row] + 2u);
  return marked.find(pattern) != std::string_view::npos;
}

size_t NameIndex::memory_bytes() const {
  return text_.capacity() + at_.capacity() * 4 + bytes_.capacity() * 2 + chunks_.capacity() * 4 +
         signatures_.capacity() * 8;
}

}  // namespace hearth::hub

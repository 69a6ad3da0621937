#include "hub/internal/posting_set.h"

#include <algorithm>

namespace hearth::hub {
namespace {

// Below this many rows an array is small whatever the table's size.
constexpr size_t kMinDense = 256;

}  // namespace

void PostingSet::Add(uint32_t row, size_t rows) {
  if (dense()) {
    size_t word = row >> 6;
    if (word >= bits_.size()) bits_.resize(std::max(word + 1, bits_.size() + bits_.size() / 8));
    uint64_t bit = uint64_t{1} << (row & 63);
    count_ += (bits_[word] & bit) == 0;
    bits_[word] |= bit;
    return;
  }
  if (sorted_.empty() || sorted_.back() < row) {
    sorted_.push_back(row);
  } else {
    auto at = std::lower_bound(sorted_.begin(), sorted_.end(), row);
    if (*at == row) return;
    sorted_.insert(at, row);
  }
  ++count_;
  // 4 bytes an entry against one bit a row.
  if (count_ >= kMinDense && count_ * 32 > rows) MakeDense();
}

void PostingSet::Remove(uint32_t row) {
  if (!Contains(row)) return;
  --count_;
  if (dense()) {
    bits_[row >> 6] &= ~(uint64_t{1} << (row & 63));
    // Half of the limit for the other direction, so that a set on the edge does not flap.
    if (count_ * 64 < bits_.size() * 64 && count_ * 2 < bits_.size()) MakeSparse();
    return;
  }
  sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), row));
  if (sorted_.empty()) sorted_ = {};
}

bool PostingSet::Contains(uint32_t row) const {
  if (dense()) return (row >> 6) < bits_.size() && (bits_[row >> 6] >> (row & 63) & 1);
  return std::binary_search(sorted_.begin(), sorted_.end(), row);
}

uint32_t PostingSet::First() const {
  if (!dense()) return sorted_.front();
  size_t word = 0;
  while (bits_[word] == 0) ++word;
  return static_cast<uint32_t>(word * 64 + static_cast<size_t>(std::countr_zero(bits_[word])));
}

void PostingSet::OrInto(RowBitmap* target) const {
  std::vector<uint64_t>& words = target->words();
  size_t shared = std::min(words.size(), bits_.size());
  for (size_t i = 0; i < shared; ++i) words[i] |= bits_[i];
  for (uint32_t row : sorted_) target->Set(row);
}

size_t PostingSet::CountIn(const RowBitmap& rows) const {
  if (dense()) return CountAndWords(bits_, rows.words());
  size_t count = 0;
  for (uint32_t row : sorted_) count += rows.Test(row);
  return count;
}

void PostingSet::MakeDense() {
  bits_.assign((sorted_.back() >> 6) + 1, 0);
  for (uint32_t row : sorted_) bits_[row >> 6] |= uint64_t{1} << (row & 63);
  sorted_ = {};
}

void PostingSet::MakeSparse() {
  std::vector<uint32_t> rows;
  rows.reserve(count_);
  ForEach([&rows](uint32_t row) { rows.push_back(row); });
  bits_ = {};
  sorted_ = std::move(rows);
}

}  // namespace hearth::hub

#include "base/bitmap.h"

#include <algorithm>

#include "base/cpu.h"

namespace hearth {
namespace {

size_t CountPlain(const uint64_t* a, const uint64_t* b, size_t words) {
  size_t count = 0;
  for (size_t i = 0; i < words; ++i) count += static_cast<size_t>(std::popcount(a[i] & b[i]));
  return count;
}

#if defined(__x86_64__)
// The instruction counts a word in one cycle; without it the compiler calls a routine of a dozen.
__attribute__((target("popcnt"))) size_t CountPopcnt(const uint64_t* a, const uint64_t* b,
                                                     size_t words) {
  size_t count = 0;
  for (size_t i = 0; i < words; ++i)
    count += static_cast<size_t>(__builtin_popcountll(a[i] & b[i]));
  return count;
}
#endif

}  // namespace

size_t CountAndWords(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  size_t words = std::min(a.size(), b.size());
#if defined(__x86_64__)
  static const bool counts = CpuTier() >= Tier::kAvx2;
  if (counts) return CountPopcnt(a.data(), b.data(), words);
#endif
  return CountPlain(a.data(), b.data(), words);
}

size_t Bitmap::Count() const { return CountAndWords(words_, words_); }

bool Bitmap::Any() const {
  return std::any_of(words_.begin(), words_.end(), [](uint64_t word) { return word != 0; });
}

size_t Bitmap::CountAnd(const Bitmap& other) const { return CountAndWords(words_, other.words_); }

void Bitmap::And(const Bitmap& other) {
  size_t shared = std::min(words_.size(), other.words_.size());
  for (size_t i = 0; i < shared; ++i) words_[i] &= other.words_[i];
  std::fill(words_.begin() + static_cast<ptrdiff_t>(shared), words_.end(), 0);
}

void Bitmap::AndNot(const Bitmap& other) {
  size_t shared = std::min(words_.size(), other.words_.size());
  for (size_t i = 0; i < shared; ++i) words_[i] &= ~other.words_[i];
}

void Bitmap::Or(const Bitmap& other) {
  if (words_.size() < other.words_.size()) words_.resize(other.words_.size());
  for (size_t i = 0; i < other.words_.size(); ++i) words_[i] |= other.words_[i];
}

}  // namespace hearth

// A set of small numbers, one bit each: a million take 125 kB, and a handful of word-wise
// operations over them costs microseconds. Not thread-safe.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hearth {

class Bitmap {
 public:
  // Room for the numbers below `size`.
  explicit Bitmap(size_t size = 0) : words_((size + 63) / 64) {}
  void Grow(size_t size) {
    if ((size + 63) / 64 > words_.size()) words_.resize((size + 63) / 64);
  }
  // Precondition of these three: there is room for the number.
  bool Test(uint32_t at) const { return words_[at >> 6] >> (at & 63) & 1; }
  void Set(uint32_t at) { words_[at >> 6] |= uint64_t{1} << (at & 63); }
  void Clear(uint32_t at) { words_[at >> 6] &= ~(uint64_t{1} << (at & 63)); }
  // False where there is no room.
  bool Has(uint32_t at) const { return (at >> 6) < words_.size() && Test(at); }

  size_t Count() const;
  bool Any() const;
  // Numbers that both hold.
  size_t CountAnd(const Bitmap& other) const;
  void And(const Bitmap& other);
  void AndNot(const Bitmap& other);
  void Or(const Bitmap& other);
  // Rising.
  template <typename F>
  void ForEach(F each) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1)
        each(static_cast<uint32_t>(i * 64 + static_cast<size_t>(std::countr_zero(word))));
    }
  }
  std::vector<uint64_t>& words() { return words_; }
  const std::vector<uint64_t>& words() const { return words_; }

 private:
  std::vector<uint64_t> words_;
};

// Bits that are set in both of two arrays, in the order of memory.
size_t CountAndWords(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b);

}  // namespace hearth

// Equality of short texts without a call: most tokens have less than sixteen bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace hearth::tokenizers::internal {

inline bool SameBytes(const char* a, const char* b, size_t size) {
  // Two loads that may overlap cover every size between a word and two.
  auto same = [&]<typename Word>(Word) {
    Word first_a, first_b, last_a, last_b;
    std::memcpy(&first_a, a, sizeof(Word));
    std::memcpy(&first_b, b, sizeof(Word));
    std::memcpy(&last_a, a + size - sizeof(Word), sizeof(Word));
    std::memcpy(&last_b, b + size - sizeof(Word), sizeof(Word));
    return ((first_a ^ first_b) | (last_a ^ last_b)) == 0;
  };
  if (size > 16) return std::memcmp(a, b, size) == 0;
  if (size >= 8) return same(uint64_t{});
  if (size >= 4) return same(uint32_t{});
  if (size == 0) return true;
  return a[0] == b[0] && a[size / 2] == b[size / 2] && a[size - 1] == b[size - 1];
}

inline bool SameText(std::string_view a, std::string_view b) {
  return a.size() == b.size() && SameBytes(a.data(), b.data(), a.size());
}

}  // namespace hearth::tokenizers::internal

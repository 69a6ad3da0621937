// Sets of code points: how character classes are computed when a pattern is compiled, and the form
// in which the matcher asks for membership. Value types; immutable ones are safe to share across
// threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hearth {

constexpr char32_t kLastCodePoint = 0x10FFFF;

struct CodePointRange {
  char32_t first = 0;
  char32_t last = 0;  // included
  bool operator==(const CodePointRange&) const = default;
};

// Ranges in rising order that neither overlap nor touch.
class CodePointSet {
 public:
  CodePointSet() = default;
  static CodePointSet Of(std::vector<CodePointRange> ranges);  // in any order
  static CodePointSet All() { return Of({{0, kLastCodePoint}}); }

  void Add(char32_t first, char32_t last);
  void Add(const CodePointSet& other);
  CodePointSet Negated() const;
  CodePointSet Intersection(const CodePointSet& other) const;

  bool Has(char32_t c) const;  // O(log ranges)
  bool empty() const { return ranges_.empty(); }
  const std::vector<CodePointRange>& ranges() const { return ranges_; }
  bool operator==(const CodePointSet&) const = default;

 private:
  void Normalize();
  std::vector<CodePointRange> ranges_;
};

// What each byte says about the character that it begins.
enum : uint8_t { kByteOut = 0, kByteIn = 1, kByteMaybe = 2 };
std::array<uint8_t, 256> LeadBytes(const CodePointSet& set);

// Membership in constant time: a byte per ASCII character, and for the rest a bitmap in two stages,
// blocks of 256 bits of which equal ones are kept once (\p{L}: 9 kB of stage one, 6 kB of blocks).
class CodePointBitmap {
 public:
  explicit CodePointBitmap(const CodePointSet& set);

  uint8_t Byte(uint8_t byte) const { return bytes_[byte]; }

  bool Has(char32_t c) const {
    if (c < 0x80) return bytes_[c] == kByteIn;
    if (c > kLastCodePoint) return false;
    return (blocks_[size_t{stage_[c >> 8]} * 4 + ((c >> 6) & 3)] >> (c & 63)) & 1;
  }

 private:
  std::array<uint8_t, 256>
      bytes_;  // for lead bytes: kByteOut when no character that begins so is inside
  std::vector<uint16_t> stage_;
  std::vector<uint64_t> blocks_;
};

}  // namespace hearth

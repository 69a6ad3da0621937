// Names by row number, and which of them hold a text: the index behind typeahead and the search of
// lists. Not thread-safe: its owner locks around it.
//
// All names stand in one text, which is cut into chunks of about two kilobytes. Each chunk has a
// signature: one bit for every three neighbouring characters that occur in it, by a hash. A text of
// three characters or more is looked for only in the chunks that have all of its bits; what is
// frequent is found everywhere, and then the caller stops early. A new name stands at the end; a
// removed one stays as rubbish until half of the text is. Costs about 1.5 bytes a character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu.h"

namespace hearth::hub {

// A pattern may begin or end with these: the place before and behind every name.
inline constexpr char kNameStart = '\x01';
inline constexpr char kNameEnd = '\n';

class NameIndex {
 public:
  // `name` has characters from 0x20 to 0x7E only, at most 65535 of them.
  void Set(uint32_t row, std::string_view name);
  void Remove(uint32_t row);
  // "" when the row has none. Valid until the next change.
  std::string_view At(uint32_t row) const;
  bool Holds(uint32_t row, std::string_view pattern) const;

  // Calls each(row) once for every row whose name, marks included, holds the pattern, until it
  // returns false. False when it did. A pattern with other characters is in no name.
  template <typename F>
  bool Scan(std::string_view pattern, F each) const {
    if (!MayOccur(pattern)) return true;
    const std::vector<uint32_t> bits = BitsOf(pattern);
    for (size_t chunk = 0; chunk < chunks_.size(); ++chunk) {
      if (!HasBits(chunk, bits)) continue;
      // Neighbours are searched in one go.
      size_t next = chunk + 1;
      while (next < chunks_.size() && HasBits(next, bits)) ++next;
      size_t at = chunks_[chunk], end = next < chunks_.size() ? chunks_[next] : text_.size();
      chunk = next;
      while ((at = FindIn(at, end, pattern)) < end) {
        size_t line_end = text_.find(kNameEnd, at + pattern.size() - 1);
        uint32_t row = RowAt(line_end + 1);
        at = line_end + 1 + kRowBytes;
        if (IsCurrent(row, line_end) && !each(row)) return false;
      }
    }
    return true;
  }

  size_t memory_bytes() const;
  // For tests: the tier that texts are searched with.
  void UseTier(Tier tier) { tier_ = tier; }

 private:
  static constexpr size_t kRowBytes = 5;  // 7 bits each, never in a name: room for 2^35 rows
  // A signature of 8192 bits takes a kilobyte; about a tenth of them are set.
  static constexpr size_t kChunkBytes = 2048, kSignatureBits = 8192;
  static constexpr size_t kSignatureWords = kSignatureBits / 64;

  static bool MayOccur(std::string_view pattern);
  static std::vector<uint32_t> BitsOf(std::string_view text);
  bool HasBits(size_t chunk, const std::vector<uint32_t>& bits) const {
    const uint64_t* words = signatures_.data() + chunk * kSignatureWords;
    for (uint32_t bit : bits) {
      if ((words[bit >> 6] >> (bit & 63) & 1) == 0) return false;
    }
    return true;
  }
  // Place of the pattern within [at, end) of the text; `end` or more when it is not there.
  size_t FindIn(size_t at, size_t end, std::string_view pattern) const;
  uint32_t RowAt(size_t at) const;
  bool IsCurrent(uint32_t row, size_t line_end) const {
    return bytes_[row] > 0 && at_[row] + bytes_[row] == line_end;
  }
  void Append(uint32_t row, std::string_view name);
  void Compact();

  std::string text_;  // of each name: kNameStart, the name, kNameEnd, the row in kRowBytes
  std::vector<uint32_t> at_;
  std::vector<uint16_t> bytes_;
  std::vector<uint32_t> chunks_;  // where each begins, at a kNameStart
  std::vector<uint64_t> signatures_;
  size_t dead_bytes_ = 0;
  Tier tier_ = CpuTier();
};

// Where the pattern begins first in the text; npos when nowhere. Precondition: neither is empty.
size_t FindText(std::string_view text, std::string_view pattern, Tier tier);

}  // namespace hearth::hub

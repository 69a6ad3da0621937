// Names by row number, and which of them hold a text: the index behind typeahead and the search of
// lists. Its owner locks around it: readers may run together, whoever changes it alone.
//
// All names stand in one text, which is cut into chunks of about two kilobytes. Each chunk has a
// signature: one bit for every three neighbouring characters that occur in it, by a hash. A text of
// three characters or more is looked for only in the chunks that have all of its bits; what is
// frequent is found everywhere, and then the caller stops early. A new name stands at the end; a
// removed one stays as rubbish until half of the text is. Costs about 1.5 bytes a character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bitmap.h"
#include "base/cpu.h"

namespace hearth::hub {

// A pattern may begin or end with these: the place before and behind every name.
inline constexpr char kNameStart = '\x01';
inline constexpr char kNameEnd = '\n';

// Lines that hold a text, some at a time.
struct LineWalk {
  static constexpr size_t kRoom = 64;
  size_t from = 0;     // where the next ones are looked for
  size_t count = 0;    // of those found last
  size_t ends[kRoom];  // the place of each one's kNameEnd
  void Add(size_t end) {
    ends[count++] = end;
    from = end + 1;
  }
};
// The next lines of the text from walk->from on that hold the pattern; fewer than kRoom: there are
// no more. Preconditions: the pattern is not empty, has kNameEnd as its last character at most, and
// every line of the text has its end.
size_t FindLines(std::string_view text, std::string_view pattern, Tier tier, LineWalk* walk);

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
      size_t begin = chunks_[chunk], end = next < chunks_.size() ? chunks_[next] : text_.size();
      chunk = next;
      std::string_view text = std::string_view(text_).substr(begin, end - begin);
      LineWalk walk;
      size_t count;
      do {
        count = FindLines(text, pattern, tier_, &walk);
        for (size_t i = 0; i < count; ++i) {
          size_t line_end = begin + walk.ends[i];
          uint32_t row = RowAt(line_end + 1);
          if (IsCurrent(row, line_end) && !each(row)) return false;
        }
      } while (count == LineWalk::kRoom);
    }
    return true;
  }

  // The rows below `rows` that Scan finds. What a walk over very many names found is kept, and kept
  // up to date: people type the same frequent letters first, and half of all names hold them.
  Bitmap RowsOf(std::string_view pattern, size_t rows) const;

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
  uint32_t RowAt(size_t at) const;
  bool IsCurrent(uint32_t row, size_t line_end) const {
    return bytes_[row] > 0 && at_[row] + bytes_[row] == line_end;
  }
  void Append(uint32_t row, std::string_view name);
  void Compact();
  void UpdateKept(uint32_t row);

  // A million rows take 125 kB: some hundred patterns of a large hub.
  static constexpr size_t kKeptBytes = 16u << 20;
  struct Kept {
    std::mutex mutex;
    std::list<std::pair<std::string, Bitmap>> found;  // most recent first
  };

  std::string text_;  // of each name: kNameStart, the name, kNameEnd, the row in kRowBytes
  std::vector<uint32_t> at_;
  std::vector<uint16_t> bytes_;
  std::vector<uint32_t> chunks_;  // where each begins, at a kNameStart
  std::vector<uint64_t> signatures_;
  size_t dead_bytes_ = 0;
  std::unique_ptr<Kept> kept_ = std::make_unique<Kept>();
  Tier tier_ = CpuTier();
};

}  // namespace hearth::hub

#include "text/unicode.h"
#include "text/utf8.h"

// Extended grapheme clusters (UAX 29, with Indic conjuncts): whether two neighbours share one
// depends on them and on three things remembered of the cluster so far.

namespace hearth {

using namespace unicode_internal;  // NOLINT: the tables of this file's subject

namespace {

bool IsRegionalIndicator(char32_t c) { return c >= 0x1F1E6 && c <= 0x1F1FF; }

class Cluster {
 public:
  explicit Cluster(char32_t first) { Take(first, FlagsOf(first)); }

  bool Joins(char32_t c, uint32_t flags) const {
    if (last_ == '\r') return c == '\n';
    if (((last_flags_ | flags) & kControl) != 0) return false;
    if ((flags & kExtends) != 0 || (last_flags_ & kPrepends) != 0) return true;
    if (((last_flags_ & kBeforeL) != 0 && (flags & kAfterL) != 0) ||
        ((last_flags_ & (kBeforeV | kBeforeL)) == kBeforeV && (flags & kAfterV) != 0) ||
        ((last_flags_ & (kBeforeT | kBeforeV | kBeforeL)) == kBeforeT && (flags & kAfterT) != 0)) {
      return true;
    }
    if (pictograph_ && last_ == 0x200D && (flags & kPictographic) != 0) return true;
    if (consonant_ && linked_ && (flags & kConsonant) != 0) return true;
    return IsRegionalIndicator(c) && indicators_ % 2 == 1;
  }

  void Take(char32_t c, uint32_t flags) {
    if ((flags & kPictographic) != 0) {
      pictograph_ = true;
    } else if ((flags & kEmojiExtend) == 0 && c != 0x200D) {
      pictograph_ = false;
    } else if (last_ == 0x200D && (flags & kEmojiExtend) == 0) {
      pictograph_ = pictograph_ && c == 0x200D;
    }
    if ((flags & kConsonant) != 0) {
      consonant_ = true;
      linked_ = false;
    } else if ((flags & kLinker) != 0) {
      linked_ = true;
    } else if ((flags & kIndicExtend) == 0) {
      consonant_ = false;
    }
    indicators_ = IsRegionalIndicator(c) ? indicators_ + 1 : 0;
    last_ = c;
    last_flags_ = flags;
  }

 private:
  char32_t last_ = 0;
  uint32_t last_flags_ = 0;
  bool pictograph_ = false;  // a pictograph, then Extend characters and joiners only
  bool consonant_ = false;   // a consonant, then Extend characters and linkers only
  bool linked_ = false;      // ... with a linker among them
  int indicators_ = 0;
};

}  // namespace

size_t NextGraphemeLength(std::string_view text) {
  auto byte = static_cast<unsigned char>(text[0]);
  if (text.size() == 1) return 1;
  // Two ASCII characters share a cluster only as "\r\n".
  if (byte < 0x80 && static_cast<unsigned char>(text[1]) < 0x80) {
    return byte == '\r' && text[1] == '\n' ? 2 : 1;
  }
  CodePoint point = DecodeUtf8(text);
  size_t length = point.length;
  Cluster cluster(point.value);
  while (length < text.size()) {
    point = DecodeUtf8(text.substr(length));
    uint32_t flags = FlagsOf(point.value);
    if (!cluster.Joins(point.value, flags)) break;
    cluster.Take(point.value, flags);
    length += point.length;
  }
  return length;
}

}  // namespace hearth

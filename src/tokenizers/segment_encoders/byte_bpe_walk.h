// One piece at a time, character by character: the meaning of the rules in plain code. It serves
// the portable tier, and the vector tiers where a block of text holds something that their bit
// algebra leaves out. Text is valid UTF-8; invalid text gives some split, never a read outside it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "text/unicode.h"
#include "tokenizers/segment_encoders/byte_bpe_classes.h"
#include "tokenizers/segment_encoders/byte_bpe_rules.h"

namespace hearth::tokenizers {

// A character: its class and its size in bytes; size 0 at the end of the text.
struct ByteBpeChar {
  uint8_t kind = 0;
  uint8_t size = 0;
};

// Bytes of the character that `lead` begins, 1 for a stray continuation byte.
inline int Utf8Size(uint8_t lead) {
  return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

inline uint32_t DecodeUtf8(const uint8_t* p, int size) {
  switch (size) {
    case 1:
      return p[0];
    case 2:
      return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    case 3:
      return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    default:
      return (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
  }
}

// Bytes of the contraction at `p` ('s, 't, 're, 've, 'm, 'll, 'd), 0 when there is none. Without
// regard to case U+017F is an s, as the reference's regex engine folds it.
template <typename Rules>
int ContractionSize(const uint8_t* p, const uint8_t* end) {
  if (!Rules::kContractions || end - p < 2 || p[0] != '\'') return 0;
  constexpr bool kAnyCase = Rules::kShape != ByteBpeShape::kGpt2;
  uint8_t a = kAnyCase && p[1] < 0x80 ? p[1] | 0x20 : p[1];
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
  if (end - p < 3) return 0;
  if (kAnyCase && p[1] == 0xC5 && p[2] == 0xBF) return 3;
  uint8_t b = kAnyCase && p[2] < 0x80 ? p[2] | 0x20 : p[2];
  if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return 3;
  return 0;
}

template <typename Rules>
class ByteBpeWalker {
 public:
  // Nothing is read before `begin`.
  ByteBpeWalker(const ByteBpeClasses& classes, const uint8_t* begin, const uint8_t* end)
      : classes_(classes), begin_(begin), end_(end) {}

  // The end of the piece that starts at p; p < end.
  const uint8_t* Next(const uint8_t* p) const {
    if constexpr (Rules::kShape == ByteBpeShape::kGpt2) return NextGpt2(p);
    if constexpr (Rules::kShape == ByteBpeShape::kDeepSeek) return NextDeepSeek(p);
    if constexpr (kFalcon) return NextFalcon(p);
    return NextModern(p);
  }

  // Whether the white space at p has a newline.
  bool NewlineFollowsBlanks(const uint8_t* p) const {
    for (ByteBpeChar c = At(p); c.size != 0 && Space(c); p += c.size, c = At(p)) {
      if (Newline(p)) return true;
    }
    return false;
  }

 private:
  static constexpr bool kFalcon =
      Rules::kShape == ByteBpeShape::kFalcon || Rules::kShape == ByteBpeShape::kFalconDigits;
  static constexpr uint8_t kLetterBits = Rules::kMarksAreLetters ? kLetter | kMark : kLetter;

  ByteBpeChar At(const uint8_t* p) const {
    if (p >= end_) return {};
    if (*p < 0x80) return {classes_.ascii()[*p], 1};
    int size = Utf8Size(*p);
    if (size > end_ - p) return {0, 1};
    return {classes_.Of(size == 1 ? 0x10FFFF : DecodeUtf8(p, size)), static_cast<uint8_t>(size)};
  }

  static bool Letter(ByteBpeChar c) { return (c.kind & kLetterBits) != 0; }
  static bool Number(ByteBpeChar c) {
    return (c.kind & kNumber) != 0 || (Rules::kDigitsFirst && c.kind == kNumericOnly);
  }
  static bool Space(ByteBpeChar c) { return (c.kind & kSpace) != 0; }
  // [^\s\p{L}\p{N}]; with split words a mark is such a character as well as part of a word.
  static bool Other(ByteBpeChar c) {
    if (c.size == 0 || Number(c) || Space(c)) return false;
    return Rules::kShape == ByteBpeShape::kO200k ? (c.kind & kLetter) == 0 : !Letter(c);
  }
  static bool Newline(const uint8_t* p) { return *p == '\n' || *p == '\r'; }

  template <bool (*kIs)(ByteBpeChar)>
  const uint8_t* Run(const uint8_t* p) const {
    for (ByteBpeChar c = At(p); c.size != 0 && kIs(c); c = At(p)) p += c.size;
    return p;
  }

  const uint8_t* Digits(const uint8_t* p) const {
    for (int i = 0; Rules::kDigits == 0 || i < Rules::kDigits; ++i) {
      ByteBpeChar c = At(p);
      if (c.size == 0 || !Number(c)) break;
      p += c.size;
    }
    return p;
  }

  // \s+(?!\S)|\s+
  const uint8_t* Blank(const uint8_t* p) const {
    const uint8_t* last = p;
    const uint8_t* q = p;
    ByteBpeChar c = At(q);
    for (; c.size != 0 && Space(c); c = At(q)) {
      last = q;
      q += c.size;
    }
    bool at_end = c.size == 0 || (Rules::kDigitsFirst && Number(c));
    return at_end || last == p ? q : last;
  }

  const uint8_t* NextGpt2(const uint8_t* p) const {
    if (int size = ContractionSize<Rules>(p, end_)) return p + size;
    const uint8_t* q = *p == ' ' ? p + 1 : p;
    ByteBpeChar c = At(q);
    if (Letter(c)) return Run<Letter>(q);
    if (Number(c) && (q == p || !Rules::kDigitsFirst)) return Digits(q);
    if (Other(c)) return Run<Other>(q);
    return Blank(p);
  }

  // kCl100k and kO200k.
  const uint8_t* NextModern(const uint8_t* p) const {
    constexpr bool kSplitWords = Rules::kShape == ByteBpeShape::kO200k;
    if constexpr (!kSplitWords) {
      if (int size = ContractionSize<Rules>(p, end_)) return p + size;
    }
    ByteBpeChar c = At(p);
    if (Letter(c)) return Word(p);
    if (!Number(c) && !Newline(p) && Letter(At(p + c.size))) return Word(p + c.size);
    if (Number(c)) return Digits(p);
    const uint8_t* q = *p == ' ' ? p + 1 : p;
    if (Other(At(q))) {
      q = Run<Other>(q);
      while (q < end_ && (Newline(q) || (kSplitWords && *q == '/'))) ++q;
      return q;
    }
    const uint8_t* newline = nullptr;  // behind the last newline of the white space at p
    q = p;
    for (c = At(q); c.size != 0 && Space(c); c = At(q)) {
      q += c.size;
      if (Newline(q - c.size)) newline = q;
    }
    return newline != nullptr ? newline : Blank(p);
  }

  const uint8_t* Word(const uint8_t* p) const {
    if constexpr (Rules::kShape != ByteBpeShape::kO200k) return Run<Letter>(p);
    const uint8_t* q = CaseWord(p);
    return q + ContractionSize<Rules>(q, end_);
  }

  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+, else the same with + and *. The
  // first part is greedy and gives back: to the end when a lower-case letter follows, else to its
  // last character that is both.
  const uint8_t* CaseWord(const uint8_t* p) const {
    const uint8_t* q = p;
    const uint8_t* both_begin = nullptr;
    const uint8_t* both_end = nullptr;
    ByteBpeChar c = At(q);
    for (; Letter(c) && (c.kind & kLower) == 0; c = At(q)) {
      if ((c.kind & kUpper) == 0) {
        both_begin = q;
        both_end = q + c.size;
      }
      q += c.size;
    }
    if (Letter(c)) {  // lower case
      for (; Letter(c) && (c.kind & kUpper) == 0; c = At(q)) q += c.size;
      return q;
    }
    return both_begin != nullptr ? both_end : q;
  }

  // The next patterns of DeepSeek see one segment at a time: numbers, or kana and ideographs, or
  // what lies between. At the end of a segment their text ends.
  enum class Segment { kNumber, kEast, kOther };

  Segment SegmentAt(const uint8_t* p, ByteBpeChar c) const {
    if (Number(c)) return Segment::kNumber;
    if (c.size != 3) return Segment::kOther;
    uint32_t code_point = DecodeUtf8(p, 3);
    bool east = (code_point >= 0x4E00 && code_point <= 0x9FA5) ||
                (code_point >= 0x3040 && code_point <= 0x30FF);
    return east ? Segment::kEast : Segment::kOther;
  }
  // The character at p, size 0 at the end of the segment.
  ByteBpeChar In(Segment segment, const uint8_t* p) const {
    ByteBpeChar c = At(p);
    return c.size != 0 && SegmentAt(p, c) == segment ? c : ByteBpeChar{};
  }
  static bool PunctuationOrSymbol(ByteBpeChar c) {
    return (c.kind & (kPunctuation | kSymbol)) != 0 && c.kind != kNumericOnly;
  }
  template <bool (*kIs)(ByteBpeChar)>
  const uint8_t* RunIn(Segment segment, const uint8_t* p) const {
    for (ByteBpeChar c = In(segment, p); c.size != 0 && kIs(c); c = In(segment, p)) p += c.size;
    return p;
  }

  const uint8_t* NextDeepSeek(const uint8_t* p) const {
    ByteBpeChar c = At(p);
    Segment segment = SegmentAt(p, c);
    if (segment == Segment::kNumber) return Digits(p);
    const uint8_t* q = DeepSeekMatch(segment, p);
    // What no pattern takes stays together up to the next match.
    while (q == nullptr) {
      p += In(segment, p).size;
      if (In(segment, p).size == 0 || DeepSeekMatch(segment, p) != nullptr) q = p;
    }
    return q;
  }

  // The end of the match that begins at p; nullptr: none does.
  const uint8_t* DeepSeekMatch(Segment segment, const uint8_t* p) const {
    ByteBpeChar c = In(segment, p);
    const uint8_t* next = p + c.size;
    ByteBpeChar after = In(segment, next);
    if (c.size == 1 && PunctuationOrSymbol(c) && after.size == 1 && Letter(after)) {
      while (next < end_ && static_cast<uint8_t>((*next | 0x20) - 'a') < 26) ++next;
      return next;
    }
    if (Letter(c)) return RunIn<Letter>(segment, p);
    if (!PunctuationOrSymbol(c) && !Newline(p) && Letter(after)) {
      return RunIn<Letter>(segment, next);
    }
    const uint8_t* q = *p == ' ' ? next : p;
    if (ByteBpeChar mark = In(segment, q); mark.size != 0 && PunctuationOrSymbol(mark)) {
      q = RunIn<PunctuationOrSymbol>(segment, q);
      while (segment == Segment::kOther && q < end_ && Newline(q)) ++q;
      return q;
    }
    if (!Space(c)) return nullptr;
    const uint8_t* newline = nullptr;  // behind the last newline of the white space at p
    const uint8_t* last = p;
    q = p;
    for (c = In(segment, q); c.size != 0 && Space(c); c = In(segment, q)) {
      last = q;
      q += c.size;
      if (Newline(last)) newline = q;
    }
    if (newline != nullptr) return newline;
    return c.size == 0 || last == p ? q : last;
  }

  // What GPT-2's pattern tells apart, behind Falcon's first stage.
  enum class Kind { kEnd, kSign, kLetter, kNumber, kSpace, kOther };

  Kind KindAt(const uint8_t* p, ByteBpeChar c) const {
    if (c.size == 0) return Kind::kEnd;
    bool sign;
    if (c.size == 1) {
      sign = (c.kind & (kPunctuation | kSymbol)) != 0;
    } else if (Rules::kShape == ByteBpeShape::kFalconDigits) {
      sign = IsPunctuation(DecodeUtf8(p, c.size));
    } else {
      sign = (c.kind & kPunctuation) != 0 && c.kind != kNumericOnly;
    }
    if (sign) return Kind::kSign;
    return Letter(c)   ? Kind::kLetter
           : Number(c) ? Kind::kNumber
           : Space(c)  ? Kind::kSpace
                       : Kind::kOther;
  }

  const uint8_t* RunOf(Kind kind, const uint8_t* p) const {
    for (ByteBpeChar c = At(p); KindAt(p, c) == kind; c = At(p)) p += c.size;
    return p;
  }

  // The end of what the first two stages leave together at the beginning of a character.
  const uint8_t* FalconWord(const uint8_t* p) const {
    const uint8_t* q = *p == ' ' ? p + 1 : p;
    Kind kind = KindAt(q, At(q));
    if (kind == Kind::kSign && q == p) return RunOf(kind, p);
    if (kind == Kind::kLetter || kind == Kind::kNumber || kind == Kind::kOther) {
      return RunOf(kind, q);
    }
    const uint8_t* last = p;  // white space: its last character goes with what follows, if anything
    q = p;
    for (ByteBpeChar c = At(q); KindAt(q, c) == Kind::kSpace; c = At(q)) {
      last = q;
      q += c.size;
    }
    kind = KindAt(q, At(q));
    bool alone = kind == Kind::kEnd || kind == Kind::kSign || last == p;
    return alone ? q : last;
  }

  // Numeric among the letters of the byte-level alphabet: digits, and U+00B2 and the like.
  static bool IsNumericByte(uint8_t byte) {
    return static_cast<uint8_t>(byte - '0') < 10 || byte == 0xB2 || byte == 0xB3 || byte == 0xB9 ||
           (byte >= 0xBC && byte <= 0xBE);
  }

  static bool ThreeDigits(const uint8_t* p, const uint8_t* end) {
    auto digit = [](uint8_t byte) { return static_cast<uint8_t>(byte - '0') < 10; };
    return end - p >= 3 && digit(p[0]) && digit(p[1]) && digit(p[2]);
  }

  const uint8_t* NextFalcon(const uint8_t* p) const {
    const uint8_t* first = p;
    for (int i = 0; i < 3 && first > begin_ && (*first & 0xC0) == 0x80; ++i) --first;
    const uint8_t* end = FalconWord(first);
    if (end <= p) return p + 1;  // only where the text is no UTF-8
    if constexpr (Rules::kShape == ByteBpeShape::kFalconDigits) {
      const uint8_t* q = p + 1;
      while (q < end && IsNumericByte(*q) == IsNumericByte(*p)) ++q;
      end = q;
    }
    if (ThreeDigits(p, end)) return p + 3;
    for (++p; p < end && !ThreeDigits(p, end); ++p) {
    }
    return p;
  }

  const ByteBpeClasses& classes_;
  const uint8_t* begin_;
  const uint8_t* end_;
};

}  // namespace hearth::tokenizers

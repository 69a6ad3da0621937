// The generated tables of unicode_tables_*.cc and how they are read. Made by
// tools/make_unicode_tables.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hearth::unicode_internal {

enum Flag : uint32_t {
  kWhitespace = 1u << 0,
  kNumeric = 1u << 1,
  kPunctuation = 1u << 2,
  kCrateWord = 1u << 3,
  kBertControl = 1u << 4,
  kNonspacing = 1u << 5,
  kCombining = 1u << 6,
  kLowers = 1u << 7,      // the lower case is another character
  kDecomposes = 1u << 8,  // canonically
  kCompatible = 1u << 9,  // decomposes under NFKD, and not as under NFD
  kReorders = 1u << 10,   // combining class above 0
  kSecond = 1u << 11,     // may compose with a character before it
  kComposes = 1u << 12,   // NFC keeps it although it decomposes: it is made again
  kExtends = 1u << 13,    // grapheme clusters: joins to the left
  kControl = 1u << 14,
  kPrepends = 1u << 15,
  kPictographic = 1u << 16,
  kEmojiExtend = 1u << 17,
  kConsonant = 1u << 18,  // Indic conjuncts
  kLinker = 1u << 19,
  kIndicExtend = 1u << 20,
  kBeforeL = 1u << 21,  // Hangul: joins with a jamo of the kind behind it ...
  kBeforeV = 1u << 22,
  kBeforeT = 1u << 23,
  kAfterL = 1u << 24,  // ... or before it
  kAfterV = 1u << 25,
  kAfterT = 1u << 26,
};

// How text is cut into clusters by the regular expressions' \X: UAX 29 of Unicode 16, without Indic
// conjuncts. The flags above are those of a later Unicode.
enum class Segment : uint8_t {
  kOther,
  kCr,
  kLf,
  kControl,
  kExtend,
  kPrepend,
  kRegionalIndicator,
  kSpacingMark,
  kZwj,
  kL,  // Hangul from here on
  kLv,
  kLvt,
  kT,
  kV,
};
constexpr unsigned kSegmentPictographic = 16;  // beside the class

// Three stages of blocks of which equal ones are kept once.
constexpr unsigned kLeafBits = 5;
constexpr unsigned kMiddleBits = 6;
constexpr char32_t kLastPoint = 0x10FFFF;

struct Trie {
  const unsigned char* top;     // by c >> 11
  const uint16_t* middle;       // by the next 6 bits
  const unsigned char* leaves;  // by the last 5

  unsigned Get(char32_t c) const {
    if (c > kLastPoint) c = kLastPoint;  // a noncharacter, which has no property
    size_t block = top[c >> (kLeafBits + kMiddleBits)];
    block = middle[(block << kMiddleBits) | ((c >> kLeafBits) & ((1u << kMiddleBits) - 1))];
    return leaves[(block << kLeafBits) | (c & ((1u << kLeafBits) - 1))];
  }
};

extern const Trie kClassTrie;  // -> index of kClassFlags
extern const uint32_t kClassFlags[];
extern const Trie kSegmentTrie;    // -> Segment, and kSegmentPictographic
extern const Trie kScriptTrie;     // -> script group
extern const Trie kCombiningTrie;  // -> combining class
extern const Trie kLowerTrie;      // -> index of kLowerDeltas
extern const int32_t kLowerDeltas[];

// Base64 over runs of variable-length numbers; see unicode_blobs.h for the readers.
extern const std::string_view kCanonicalBlob;
extern const std::string_view kCompatibleBlob;
extern const std::string_view kCompositionBlob;
extern const std::string_view kPropertyBlob;
extern const std::string_view kFoldBlob;

inline uint32_t FlagsOf(char32_t c) { return kClassFlags[kClassTrie.Get(c)]; }
inline bool Has(char32_t c, uint32_t flags) { return (FlagsOf(c) & flags) != 0; }

}  // namespace hearth::unicode_internal

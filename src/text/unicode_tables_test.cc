// The tables over all code points against digests that tools/make_unicode_tables.py took of the
// reference's answers: a table that is read wrongly, or that somebody edits, does not pass.
#include <gtest/gtest.h>

#include "base/hash.h"
#include "text/internal/regex_classes.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace hearth {
namespace {

bool IsSurrogate(char32_t c) { return c >= 0xD800 && c < 0xE000; }

template <typename Has>
void ExpectBitmap(const char* name, size_t count, const char* digest, Has&& has) {
  std::string bitmap(0x110000 / 8, '\0');
  size_t counted = 0;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (IsSurrogate(c) || !has(c)) continue;
    bitmap[c >> 3] = static_cast<char>(bitmap[c >> 3] | (1 << (c & 7)));
    ++counted;
  }
  EXPECT_EQ(counted, count) << name;
  EXPECT_EQ(Sha256Of(bitmap).Hex().substr(0, 32), digest) << name;
}

void ExpectFlag(unsigned bit, const char* name, size_t count, const char* digest) {
  ExpectBitmap(name, count, digest,
               [bit](char32_t c) { return unicode_internal::Has(c, 1u << bit); });
}

// A class, or kSegmentPictographic, which any of them may have beside it.
void ExpectSegment(unsigned segment, const char* name, size_t count, const char* digest) {
  using unicode_internal::kSegmentPictographic;
  ExpectBitmap(name, count, digest, [segment](char32_t c) {
    unsigned value = unicode_internal::kSegmentTrie.Get(c);
    return segment == kSegmentPictographic ? (value & kSegmentPictographic) != 0
                                           : (value & (kSegmentPictographic - 1)) == segment;
  });
}

void ExpectClass(std::string_view name, size_t count, const char* digest) {
  bool posix = name[0] == '[';
  std::optional<CodePointSet> set =
      posix ? regex_internal::FindPosixBracket(name.substr(2, name.size() - 4))
            : regex_internal::FindProperty(name);
  ASSERT_TRUE(set) << name;
  CodePointBitmap bitmap(*set);
  ExpectBitmap(std::string(name).c_str(), count, digest, [&](char32_t c) { return bitmap.Has(c); });
}

void ExpectText(std::string_view mapping, const char* digest) {
  std::string text;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (IsSurrogate(c)) continue;
    if (c > 0) text += 'x';
    AppendUtf8(c, &text);
  }
  std::string mapped = mapping == "NFC"    ? Nfc(text)
                       : mapping == "NFD"  ? Nfd(text)
                       : mapping == "NFKC" ? Nfkc(text)
                       : mapping == "NFKD" ? Nfkd(text)
                                           : Lowercase(text);
  EXPECT_EQ(Sha256Of(mapped).Hex().substr(0, 32), digest) << mapping;
}

TEST(UnicodeTables, PropertiesEqualTheReference) {
#define GOLDEN_FLAG(bit, name, count, digest) ExpectFlag(bit, name, count, digest);
#include "text/internal/unicode_goldens.inc"
}

TEST(UnicodeTables, SegmentClassesEqualTheReference) {
#define GOLDEN_SEGMENT(segment, name, count, digest) ExpectSegment(segment, name, count, digest);
#include "text/internal/unicode_goldens.inc"
}

TEST(UnicodeTables, RegexClassesEqualTheReference) {
#define GOLDEN_CLASS(name, count, digest) ExpectClass(name, count, digest);
#include "text/internal/unicode_goldens.inc"
}

TEST(UnicodeTables, MappingsEqualTheReference) {
#define GOLDEN_TEXT(name, digest) ExpectText(name, digest);
#include "text/internal/unicode_goldens.inc"
}

}  // namespace
}  // namespace hearth

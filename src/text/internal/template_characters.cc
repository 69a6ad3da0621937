// The classes of characters that Python's str methods ask for: Unicode's, and tables of Python's
// own where Unicode has no such class.

#include "text/internal/template_characters.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "text/internal/code_point_set.h"
#include "text/internal/regex_classes.h"

namespace hearth::tmpl {
namespace {

#include "text/internal/character_tables.inc"

template <size_t N>
bool IsInside(const char32_t (&changes)[N], char32_t c) {
  auto after = std::upper_bound(std::begin(changes), std::end(changes), c);
  return (after - std::begin(changes)) % 2 == 1;
}

CodePointSet Property(std::string_view name) { return regex_internal::FindProperty(name).value(); }

bool IsUpperCase(char32_t c) {
  static const CodePointBitmap bitmap(Property("Uppercase"));
  return bitmap.Has(c);
}
bool IsLowerCase(char32_t c) {
  static const CodePointBitmap bitmap(Property("Lowercase"));
  return bitmap.Has(c);
}
bool IsTitleCase(char32_t c) {
  static const CodePointSet set = Property("Lt");
  return set.Has(c);
}

// Some character has the case, and none the other one or that of titles.
bool HasCase(std::string_view text, bool (*is)(char32_t), bool (*is_other)(char32_t)) {
  bool found = false;
  AllCharacters(text, [&](char32_t c) {
    bool other = is_other(c) || IsTitleCase(c);
    found = !other && (found || is(c));
    return !other;
  });
  return found;
}

}  // namespace

bool IsSpace(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool IsAlpha(char32_t c) {
  static const CodePointBitmap bitmap(Property("L"));
  return bitmap.Has(c);
}

bool IsDecimal(char32_t c) { return DecimalValue(c) >= 0; }

bool IsDigit(char32_t c) { return IsDecimal(c) || IsInside(kDigitChanges, c); }

bool IsNumeric(char32_t c) {
  static const CodePointBitmap bitmap(Property("N"));
  return bitmap.Has(c) || IsInside(kNumericLetterChanges, c);
}

bool IsAlnum(char32_t c) { return IsAlpha(c) || IsNumeric(c); }

bool IsPrintable(char32_t c) { return IsInside(kPrintableChanges, c); }

int DecimalValue(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9' ? static_cast<int>(c - '0') : -1;
  static const CodePointSet set = Property("Nd");
  auto after = std::upper_bound(
      set.ranges().begin(), set.ranges().end(), c,
      [](char32_t wanted, const CodePointRange& range) { return wanted < range.first; });
  if (after == set.ranges().begin() || c > std::prev(after)->last) return -1;
  // Every script has its ten in a row, and rows that touch are whole ones.
  return static_cast<int>((c - std::prev(after)->first) % 10);
}

bool IsUpperText(std::string_view text) { return HasCase(text, IsUpperCase, IsLowerCase); }

bool IsLowerText(std::string_view text) { return HasCase(text, IsLowerCase, IsUpperCase); }

bool IsTitleText(std::string_view text) {
  bool cased = false, in_word = false;
  bool fits = AllCharacters(text, [&](char32_t c) {
    bool capital = IsUpperCase(c) || IsTitleCase(c), small = IsLowerCase(c);
    if (capital ? in_word : small && !in_word) return false;
    in_word = capital || small;
    cased = cased || in_word;
    return true;
  });
  return fits && cased;
}

bool IsIdentifierText(std::string_view text) {
  static const CodePointBitmap starts(Property("XID_Start")), continues(Property("XID_Continue"));
  bool first = true;
  return AllCharacters(text, [&](char32_t c) {
    return std::exchange(first, false) ? starts.Has(c) || c == '_' : continues.Has(c);
  });
}

size_t LastOffset(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && text.size() - at < 4 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80)
    --at;
  return at;
}

Line FirstLine(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    CodePoint point = DecodeUtf8(text.substr(at));
    char32_t c = point.value;
    if ((c >= '\n' && c <= '\r') || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
        c == 0x2029) {
      size_t length = text.substr(at).starts_with("\r\n") ? 2 : point.length;
      return {text.substr(0, at), at + length};
    }
    at += point.length;
  }
  return {text, text.size()};
}

}  // namespace hearth::tmpl

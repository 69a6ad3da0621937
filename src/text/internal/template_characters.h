// What Python's str methods say of characters and texts: isalpha, isdigit, isupper and so on.
// Pure; thread-safe.
#pragma once

#include <string_view>

#include "text/utf8.h"

namespace hearth::tmpl {

bool IsSpace(char32_t c);  // white space
bool IsAlpha(char32_t c);
bool IsDecimal(char32_t c);
bool IsDigit(char32_t c);
bool IsNumeric(char32_t c);
bool IsAlnum(char32_t c);  // a word's characters, but for "_"
bool IsPrintable(char32_t c);
// 0 to 9 of a decimal, in whatever script; -1 of anything else.
int DecimalValue(char32_t c);

// Some character has case, and all that have it are this one's.
bool IsUpperText(std::string_view text);
bool IsLowerText(std::string_view text);
// Words of one capital and small letters.
bool IsTitleText(std::string_view text);
bool IsIdentifierText(std::string_view text);

// Start of the last character of a text that is not empty.
size_t LastOffset(std::string_view text);

// The first line of a text, as splitlines cuts.
struct Line {
  std::string_view text;  // without what ends it
  size_t length = 0;      // bytes with it; 0 only for an empty text
};
Line FirstLine(std::string_view text);

// There is a character, and all pass.
template <typename Test>
bool AllCharacters(std::string_view text, Test test) {
  for (std::string_view rest = text; !rest.empty();) {
    CodePoint point = DecodeUtf8(rest);
    if (!test(point.value)) return false;
    rest.remove_prefix(point.length);
  }
  return !text.empty();
}

}  // namespace hearth::tmpl

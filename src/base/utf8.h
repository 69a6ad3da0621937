// What every layer that writes text for others needs of UTF-8; the rest is in text/utf8.h. Pure,
// thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hearth {

constexpr char32_t kReplacementCharacter = 0xFFFD;

// Appends the encoding; a surrogate or a value above U+10FFFF is written as U+FFFD.
void AppendUtf8(char32_t value, std::string* out);

// Length in bytes (1 to 4) of the well-formed UTF-8 sequence at the start of `text`, which must not
// be empty; 0 when there is none. Unicode Standard, table 3-7.
size_t Utf8Length(std::string_view text);

}  // namespace hearth

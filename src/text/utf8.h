// UTF-8 (RFC 3629: no surrogates, nothing above U+10FFFF, shortest form only). Pure and
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace hearth {

bool IsValidUtf8(std::string_view text);

struct CodePoint {
  char32_t value = 0;  // kReplacementCharacter when the bytes are not valid
  size_t length = 0;   // bytes used: 1-4; for invalid bytes the maximal subpart to skip
  bool valid = false;
};

// Decodes at the front of a non-empty text. Iterate by removing `length` bytes.
CodePoint DecodeUtf8(std::string_view text);

// Code points; each maximal invalid subpart counts as one, as it does in Utf8Lossy.
size_t CountCodePoints(std::string_view text);

// The text with U+FFFD for each maximal invalid subpart (as browsers and Python's "replace" do).
std::string Utf8Lossy(std::string_view text);

// The longest prefix of at most max_bytes bytes / max_points code points that does not cut a code
// point.
std::string_view TruncateUtf8Bytes(std::string_view text, size_t max_bytes);
std::string_view TruncateUtf8(std::string_view text, size_t max_points);

// Byte position of the code point with this index; text.size() when there are fewer.
size_t Utf8Offset(std::string_view text, size_t index);

}  // namespace hearth

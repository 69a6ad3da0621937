// Base64 (RFC 4648): the standard alphabet for commit bodies and LFS, the URL alphabet for tokens.
// All functions are pure and thread-safe. Decoding a 100 MB commit body is on a hot path: table
// driven, one pass, one allocation of the exact size.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hearth {

// Standard alphabet (+ /), with padding.
std::string Base64Encode(std::string_view bytes);

// Standard alphabet. Padding may be absent, but when present it must be complete. nullopt for any
// other byte (line breaks and spaces included), a length that no encoder makes, or unused bits that
// are not zero.
std::optional<std::string> Base64Decode(std::string_view text);

// URL alphabet (- _), without padding; decoding takes it with or without.
std::string Base64UrlEncode(std::string_view bytes);
std::optional<std::string> Base64UrlDecode(std::string_view text);

}  // namespace hearth

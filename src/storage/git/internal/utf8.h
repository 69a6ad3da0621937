// UTF-8 checks on bytes out of git, where nothing guarantees an encoding. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::storage::internal {

// Decodes one code point at `position` and moves it on; false (moved by one byte) when the bytes
// there are not UTF-8 (overlong forms and surrogates included).
bool NextCodePoint(std::string_view text, size_t& position, uint32_t& code_point);
bool IsUtf8(std::string_view text);
// Every byte that is not part of UTF-8 becomes U+FFFD.
std::string ToUtf8Lossy(std::string_view text);

}  // namespace hearth::storage::internal

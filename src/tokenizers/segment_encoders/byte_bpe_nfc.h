// NFC for text that nearly always is NFC already.
#pragma once

#include <string>
#include <string_view>

namespace hearth::tokenizers {

// `text` in NFC: itself, or a view of `buffer`, which is then overwritten. Only runs of characters
// outside ASCII are looked at, each with the ASCII character before it: an ASCII character never
// joins with what precedes it, so that a text may be cut before one.
std::string_view ToNfc(std::string_view text, std::string* buffer);

}  // namespace hearth::tokenizers

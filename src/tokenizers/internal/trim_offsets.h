// Offsets of byte-level tokens without the white space at their ends, which vocabularies of that
// kind keep inside of the token.
#pragma once

#include "tokenizers/encoding.h"

namespace hearth::tokenizers::internal {

// For an encoding and its overflowing pieces. With `add_prefix_space` the one space at the very
// start may be one that the pre-tokenizer put there: it has no place in the text.
void TrimOffsets(bool add_prefix_space, Encoding* encoding);
// For these tokens of it, the first of which begins the text.
void TrimOffsets(bool add_prefix_space, Offsets tokens, Encoding* encoding);

}  // namespace hearth::tokenizers::internal

// Where the ids of a text lie: the second half of encoding with offsets.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tokenizers/segment_encoders/byte_bpe_rules.h"
#include "tokenizers/token_span.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {

// `ids` are those of the whole of `text`, valid UTF-8 below 4 GiB. A token covers as many bytes as
// its name has characters; a part of a character counts as all of it. False when the tokens do not
// add up to the pieces of the text, which is so when bytes were left out.
bool FindByteBpeSpans(ByteBpeSplit split, std::string_view text, std::span<const uint32_t> ids,
                      const Vocab& vocab, std::vector<TokenSpan>* spans);

}  // namespace hearth::tokenizers

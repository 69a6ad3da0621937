// RWKV's "World" vocabulary: byte strings, and a text is always the longest one that fits, from
// the left. GGUF files spell the bytes as Python spells a bytes literal.
//
// As a tokenizer.json this is WordPiece without a prefix over the byte-level alphabet: the
// reference runs it with equal ids.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "tokenizers/loaders/sentencepiece_model.h"

namespace hearth::tokenizers {

// "\xe4\xbd\\" -> its three bytes. Throws Error{kInvalidArgument} for an escape that is cut short
// or that Python does not write.
std::string UnescapeRwkvToken(std::string_view text);

// `pieces` by id. Throws Error{kInvalidArgument} when a byte has no token of its own: a text with
// it would have no ids.
Json MakeRwkvTokenizerJson(const std::vector<SentencePiece>& pieces);

}  // namespace hearth::tokenizers

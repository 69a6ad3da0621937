// What kind of tokenizer a file is that stands alone, whatever it is called.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "formats/source/source.h"

namespace hearth::tokenizers {

// What a message says was expected.
inline constexpr std::string_view kExpectedFiles =
    "tokenizer.json, a SentencePiece .model, .gguf, .tiktoken, tekken.json, or a vocab.txt";

// A name under which the loaders look for a file of this kind ("tokenizer.json", ...), told from
// the content, and from `name` only where the content could be anything (vocab.txt). nullopt: no
// tokenizer. Reads a JSON file whole and of others the beginning. Throws Error for JSON that is
// broken; kInvalidArgument for a vocabulary that needs a second file.
std::optional<std::string> FindFileKind(std::string_view name, ByteSource& source);

// A first line of a file of ranks: a token in base64 and a number.
bool LooksLikeRanks(std::string_view bytes);

}  // namespace hearth::tokenizers

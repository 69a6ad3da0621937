#include "tokenizers/internal/trim_offsets.h"

#include <algorithm>

#include "text/unicode.h"
#include "tokenizers/byte_level_alphabet.h"
#include "tokenizers/internal/characters.h"

namespace hearth::tokenizers::internal {
namespace {

bool IsSpace(char32_t c) { return c == kByteCharacters[' '] || IsWhitespace(c); }

size_t SpacesAtStart(std::string_view token) {
  size_t count = 0;
  for (size_t at = 0; at < token.size(); ++count) {
    Character character = CharacterAt(token, at);
    if (!IsSpace(character.value)) break;
    at += character.length;
  }
  return count;
}

size_t SpacesAtEnd(std::string_view token) {
  size_t count = 0;
  for (size_t end = token.size(); end > 0; ++count) {
    Character character = CharacterBefore(token, end);
    if (!IsSpace(character.value)) break;
    end -= character.length;
  }
  return count;
}

}  // namespace

void TrimOffsets(bool add_prefix_space, Offsets tokens, Encoding* encoding) {
  for (size_t i = tokens.begin; i < tokens.end; ++i) {
    Offsets& offsets = encoding->offsets[i];
    size_t before = SpacesAtStart(encoding->tokens[i]);
    size_t after = SpacesAtEnd(encoding->tokens[i]);
    bool is_first = i == tokens.begin || offsets.begin == 0;
    if (is_first && add_prefix_space && before == 1) before = 0;
    if (before > 0) offsets.begin = std::min(offsets.begin + before, offsets.end);
    if (after > 0 && offsets.end >= after) {
      offsets.end = std::max(offsets.end - after, offsets.begin);
    }
  }
}

void TrimOffsets(bool add_prefix_space, Encoding* encoding) {
  TrimOffsets(add_prefix_space, {0, encoding->size()}, encoding);
  for (Encoding& piece : encoding->overflowing) {
    TrimOffsets(add_prefix_space, {0, piece.size()}, &piece);
  }
}

}  // namespace hearth::tokenizers::internal

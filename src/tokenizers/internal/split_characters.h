// The template of tokenizers/split.h, which is included from there.
#pragma once

#include "tokenizers/internal/characters.h"
#include "tokenizers/split.h"

namespace hearth::tokenizers {

template <typename Matches>
void FindCharacterPieces(std::string_view text, Matches&& matches, std::vector<Piece>* pieces) {
  if (text.empty()) {
    pieces->push_back({0, 0, false});
    return;
  }
  uint32_t gap = 0;
  for (uint32_t at = 0; at < text.size();) {
    internal::Character character = internal::CharacterAt(text, at);
    auto next = at + static_cast<uint32_t>(character.length);
    if (matches(character.value)) {
      if (gap < at) pieces->push_back({gap, at, false});
      pieces->push_back({at, next, true});
      gap = next;
    }
    at = next;
  }
  if (gap < text.size()) pieces->push_back({gap, static_cast<uint32_t>(text.size()), false});
}

}  // namespace hearth::tokenizers

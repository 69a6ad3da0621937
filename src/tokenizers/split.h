// Cutting a text at the places where a pattern matches, and the five things that can become of what
// matched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/regex.h"

namespace hearth::tokenizers {

// For "-" in "the-final--countdown":
//   kRemoved             the | final | countdown
//   kIsolated            the | - | final | - | - | countdown
//   kMergedWithPrevious  the- | final- | - | countdown
//   kMergedWithNext      the | -final | - | -countdown
//   kContiguous          the | - | final | -- | countdown
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// "Removed", ... as in tokenizer.json.
std::string_view SplitBehaviorName(SplitBehavior behavior);
std::optional<SplitBehavior> FindSplitBehavior(std::string_view name);

// A stretch of the text that matches, or that lies between matches.
struct Piece {
  uint32_t begin = 0;
  uint32_t end = 0;
  bool match = false;
  bool operator==(const Piece&) const = default;
};

// The matches and what lies between them, covering the text; one empty piece for an empty text.
// They are added to `pieces`.
void FindPieces(const Regex& regex, std::string_view text, std::vector<Piece>* pieces);

// The same for characters: each for which `matches(char32_t)` holds is a match of its own.
template <typename Matches>
void FindCharacterPieces(std::string_view text, Matches&& matches, std::vector<Piece>* pieces);

void Invert(std::vector<Piece>* pieces);

// Turns matches and gaps into the parts that the behaviour asks for, in place.
void ApplyBehavior(SplitBehavior behavior, std::vector<Piece>* pieces);

}  // namespace hearth::tokenizers

#include "tokenizers/internal/split_characters.h"

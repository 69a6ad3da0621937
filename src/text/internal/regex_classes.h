// The named classes of the regular expressions, Unicode 16 as Oniguruma has it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/internal/code_point_set.h"

namespace hearth::regex_internal {

// \p{name}: case, spaces, '-' and '_' in the name do not count. nullopt when there is no such
// class.
std::optional<CodePointSet> FindProperty(std::string_view name);
// [[:name:]]: exact, lower case.
std::optional<CodePointSet> FindPosixBracket(std::string_view name);

const CodePointSet& WordSet();
// \w outside brackets and \b: the same and six superscripts and fractions of Latin-1.
const CodePointSet& BareWordSet();
const CodePointSet& DigitSet();
const CodePointSet& SpaceSet();
// The word class as the matcher asks for it (\b).
const CodePointBitmap& WordBitmap();

// Case folding. The other characters that a character equals when case does not count (possibly
// none).
std::vector<char32_t> CaseVariants(char32_t c);

struct MultiFold {
  std::u32string folded;        // two or three characters, each folded itself
  std::vector<char32_t> chars;  // the characters that fold to it
};
const std::vector<MultiFold>& MultiFolds();
// What a character is compared as; itself when its folding is longer than one character.
char32_t SimpleFold(char32_t c);
// Adds every case variant of every member.
CodePointSet CaseClosure(const CodePointSet& set);

}  // namespace hearth::regex_internal

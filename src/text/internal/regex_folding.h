// Case folding of literals and classes, as Oniguruma unrolls it when it compiles a pattern: each
// character becomes the class of its variants, and where a run of two or three characters is the
// folding of one ("ss" of U+00DF) the run becomes an alternation of all spellings.
#pragma once

#include <string>

#include "text/internal/regex_ast.h"

namespace hearth::regex_internal {

using FoldedText = std::u32string;

// Appends the nodes for `text` to the sequence and clears it. Literals in a look-behind know single
// characters only, classes there do not.
void FoldInto(FoldedText* text, bool look_behind, Node* sequence);

// A class whose single-character variants are worked in already: adds the spellings of several
// characters, if the class is not a negated one.
NodePtr FoldClass(CodePointSet set, bool negative);

}  // namespace hearth::regex_internal

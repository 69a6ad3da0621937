// Regular expressions as constraints on output: the dialect of JSON Schema's `pattern` (ECMA 262)
// and of TGI's and outlines' `regex`.
//
// Understood: literals, escapes (\t \n \r \f \v \0 \xHH \uHHHH \u{H..} and any escaped
// punctuation), '.', classes with ranges and negation, \d \w \s and their negations (\d and \w are
// ASCII, as in ECMA 262), groups (capturing, named, (?:)), alternation, * + ? {n} {n,} {n,m} (a
// lazy mark changes nothing: the set of texts is the same), ^ and $ at the ends of alternatives.
// Refused with kUnimplemented: look-around, back references, \b, \p, possessive quantifiers,
// inline options.
//
// Pure. Errors: kInvalidArgument (the byte position is named), kUnimplemented, kTooLarge.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/grammar/byte_grammar.h"
#include "runtime/grammar/code_point_set.h"

namespace hearth::runtime {

// What an expression becomes first: a graph whose edges take characters.
struct CodePointGraph {
  struct Edge {
    uint32_t to = 0;
    uint32_t set = UINT32_MAX;  // index of `sets`; UINT32_MAX takes nothing
  };
  std::vector<std::vector<Edge>> states;
  std::vector<CodePointSet> sets;
  uint32_t start = 0, end = 0;
};

enum class Anchoring {
  kWhole,   // the expression is the whole text; ^ and $ at its ends are allowed and mean nothing
  kSearch,  // JSON Schema's: it may lie anywhere unless ^ and $ say otherwise
};

CodePointGraph ParseRegex(std::string_view pattern, Anchoring anchoring);

enum class Spelling { kUtf8, kJsonString };

// Bounds on the number of characters.
struct LengthBounds {
  uint32_t min = 0;
  std::optional<uint32_t> max;
};

// Texts of the graph with a length inside the bounds, from one state of the grammar to another.
void AddGraph(const CodePointGraph& graph, Spelling spelling, const LengthBounds& bounds,
              std::pair<uint32_t, uint32_t> from_to, GrammarBuilder* builder);

// The grammar of an expression that is the whole output.
ByteGrammar RegexGrammar(std::string_view pattern);
// One of these texts; at least one.
ByteGrammar ChoiceGrammar(const std::vector<std::string>& choices);

}  // namespace hearth::runtime

// Text of others on a terminal: names, metadata and messages come from files that nobody trusts,
// and a terminal obeys what it is sent (colours, titles, cleared lines, reversed text). Pure,
// thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace hearth::cli {

// `text` without power over a terminal: control characters become their symbols (U+2400 and on),
// what else steers (C1 controls, direction marks and overrides) and what is no UTF-8 becomes
// U+FFFD. Line feeds and tabulators stay.
std::string TerminalText(std::string_view text);

// The same on one line: line feeds, tabulators and line separators become symbols as well.
std::string TerminalLine(std::string_view text);

}  // namespace hearth::cli

// Characters that change the direction of writing without being seen: embeddings, overrides and
// isolates (U+202A-202E, U+2066-2069 of Unicode's annex 9). With them a name or a line of code
// reads otherwise than it is ("Trojan Source", CVE-2021-42574). Pure.
#pragma once

#include <string>
#include <string_view>

namespace hearth {

bool ChangesDirection(std::string_view utf8);
// The text with each of them written out: "[U+202E]".
std::string WithDirectionShown(std::string_view utf8);

}  // namespace hearth

// The code of a Jinja template as tokens: what a rule about its names looks at. Pure; never throws
// for the content, of which everything that could be code is taken.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth {

struct TemplateToken {
  enum class Kind { kName, kString, kNumber, kPunct };
  Kind kind = Kind::kPunct;
  std::string text;  // of a string: what it stands for
  bool Is(std::string_view punct) const { return kind == Kind::kPunct && text == punct; }
  bool IsName(std::string_view name) const { return kind == Kind::kName && text == name; }
};

// What stands between {{ and }} or between {% and %}.
struct TemplatePart {
  bool statement = false;
  bool odd = false;  // a raw block that may end elsewhere for Jinja
  std::string source;
  std::vector<TemplateToken> tokens;
};

// As Jinja reads it: an end inside of a string or of brackets is none; without comments and raw
// blocks.
std::vector<TemplatePart> ReadTemplateParts(std::string_view text);

// \x5f, \137, \u005f and \N{LOW LINE} inside of string literals stand for characters, and a
// backslash at the end of a line for nothing.
std::string DecodeTemplateEscapes(std::string_view text);

// Ways to reach an attribute by a name that the template makes while it runs, one sentence each.
// Names that are literals, numbers, keys of the same object, or looked up in a table of the
// template's own literals are none.
std::vector<std::string> FindComputedNames(const std::vector<TemplatePart>& parts);

}  // namespace hearth

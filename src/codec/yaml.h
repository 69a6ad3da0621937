// YAML of model cards and configuration files, read into Json values, and written back.
//
// yaml-cpp scans and reports events; the tree is built here: scalars are typed as PyYAML's safe
// loader types them, depth, nodes and alias expansion are bounded, merge keys understood. Pure and
// thread-safe.
// Format: https://yaml.org/spec/1.2.2/ ; scalar types of YAML 1.1: https://yaml.org/type/
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "codec/json.h"

namespace hearth {

struct YamlLimits {
  size_t max_bytes = 4u << 20;   // size of the text
  size_t max_depth = 100;        // nested collections
  size_t max_nodes = 1'000'000;  // nodes of the result, counted again at every use of an alias
};

// Reads one document (an empty text is null; a second document is an error).
// Plain scalars as PyYAML's safe loader types them: null, ~, empty; true/false/yes/no/on/off;
// integers (decimal, 0x, 0b, leading zero octal, underscores); floats (with a dot, .inf, .nan).
// Everything else is a string, among it dates, base 60 numbers, "1e5" and integers beyond 64 bits.
// Quoted scalars are strings; an explicit !!str, !!int, !!float, !!bool or !!null decides, other
// tags are an error except those of collections, !!binary and !!timestamp (strings). Keys keep
// their text ("no" stays "no"). Of duplicate keys the last wins; merge keys (<<) are merged.
// Errors: kInvalidArgument "... (line L, column C)", counted from 1; kTooLarge past max_bytes.
Json ParseYaml(std::string_view text, const YamlLimits& limits = {});

// Block style, two spaces, UTF-8, members in order; ends with a newline. ParseYaml and PyYAML read
// the same value back: a string that would read as another type is quoted; strings of several lines
// are block literals where that is exact. Bytes that are not UTF-8 become U+FFFD.
std::string DumpYaml(const Json& value);

struct FrontMatter {
  std::string yaml;  // between the marker lines, without them
  std::string body;  // what follows; the whole text (without BOM) when not present
  bool present = false;
};

// Splits "---\n...\n---\n" off the start of a Markdown file. CRLF and a byte order mark are
// tolerated. Without a closing marker there is no front matter. Cannot fail; does not parse the
// YAML.
FrontMatter SplitFrontMatter(std::string_view markdown);

}  // namespace hearth

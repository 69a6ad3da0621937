// Two JSON values or two texts side by side. Pure; bounded output.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace hearth::inspector {

struct ValueChange {
  std::string pointer;  // JSON pointer (RFC 6901): "/rope_scaling/factor"
  Json before;          // null with `added`
  Json after;           // null with `removed`
  bool added = false;
  bool removed = false;
};
// Members that differ, objects entered, lists compared as wholes. In the order of the later object;
// at most `limit`.
std::vector<ValueChange> DiffValues(const Json& before, const Json& after, size_t limit = 500);
Json ToJson(const std::vector<ValueChange>& changes);

struct LineChange {
  char kind = ' ';  // ' ' kept, '-' only before, '+' only after
  std::string text;
};
// The shortest edit by lines, with three kept lines around changes; texts of more than 3000 lines
// are given as removed and added whole.
std::vector<LineChange> DiffLines(std::string_view before, std::string_view after);
Json ToJson(const std::vector<LineChange>& lines);

}  // namespace hearth::inspector

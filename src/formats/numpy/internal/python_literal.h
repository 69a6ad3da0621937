// The literals that a .npy header consists of: a dict of strings, booleans, numbers, tuples and
// lists. Nothing else of Python is read. Pure. Errors: kInvalidArgument with the position.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth {

struct PythonLiteral {
  enum class Kind { kNone, kBool, kInt, kText, kTuple, kList, kDict };
  Kind kind = Kind::kNone;
  int64_t number = 0;
  std::string text;
  std::vector<PythonLiteral> items;  // of a dict: key, value, key, value ...
  const PythonLiteral* Find(std::string_view key) const;
};

PythonLiteral ParsePythonLiteral(std::string_view text);

}  // namespace hearth

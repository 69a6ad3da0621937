// Look-up of string keys by string_view, without making a string.
#pragma once

#include <functional>
#include <string_view>

namespace hearth::tokenizers::internal {

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

}  // namespace hearth::tokenizers::internal

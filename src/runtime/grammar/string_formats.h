// The values of JSON Schema's `format` for strings, as regular expressions. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hearth::runtime {

// nullopt for a format that is not known. Every text of the expression is valid; of some formats
// not every valid text is one (years before 1000, quoted mail names).
std::optional<std::string> FindStringFormat(std::string_view format);

}  // namespace hearth::runtime

// How plain YAML scalars are typed; shared by the reader and by the writer, which must quote
// whatever would read back as something else. Pure and thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "codec/json.h"

namespace hearth::yaml {

bool IsNull(std::string_view text);
std::optional<bool> ParseBool(std::string_view text);
// nullopt when the text is no integer of YAML 1.1 or does not fit into 64 bits.
std::optional<Json> ParseInteger(std::string_view text);
std::optional<double> ParseFloat(std::string_view text);

// The typed value of a plain scalar.
Json Resolve(std::string_view text);

// Whether some YAML 1.1 or 1.2 reader may take the plain text for something other than a string.
bool IsAmbiguous(std::string_view text);

}  // namespace hearth::yaml

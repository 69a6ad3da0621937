// Writing JSON exactly as the reference writes tokenizer.json (Rust's serde_json), so that a file
// that passes through here does not change by a byte: compact, or indented by two spaces.
#pragma once

#include <string>

#include "codec/json.h"

namespace hearth::tokenizers {

std::string WriteJson(const Json& value, bool pretty);

}  // namespace hearth::tokenizers

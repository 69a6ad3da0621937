// Fields of a tokenizer.json that must be there. Each throws Error{kInvalidArgument} naming the
// key.
#pragma once

#include <cstdint>
#include <string_view>

#include "codec/json.h"
#include "tokenizers/split.h"

namespace hearth::tokenizers::internal {

bool RequireBool(const Json& json, std::string_view key);
uint32_t RequireUint32(const Json& json, std::string_view key);
// A count or a length; at most 2^53.
size_t RequireSize(const Json& json, std::string_view key);
// A string of exactly one character.
char32_t RequireCharacter(const Json& json, std::string_view key);
SplitBehavior RequireSplitBehavior(const Json& json, std::string_view key);
// The member, whatever it is.
const Json& Require(const Json& json, std::string_view key);
// Whether the object's "type" is this.
bool HasType(const Json& json, std::string_view type);

}  // namespace hearth::tokenizers::internal

// What the inspectors of JSON files share. Pure apart from reads. Errors: kTooLarge,
// kInvalidArgument.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "formats/inspect/inspector.h"

namespace hearth {

// Is it called `wanted`, in whatever folder?
bool IsNamed(std::string_view name, std::string_view wanted);

// The whole file; kTooLarge above `max_bytes`.
std::string ReadWhole(ByteSource& source, uint64_t max_bytes);

// The whole file, which must be a JSON object.
Json ReadJsonObject(ByteSource& source, uint64_t max_bytes);

// A fact for each key that is there and not null, with the key as its place. A key with dots goes
// into objects.
void AddKeys(const Json& object, std::initializer_list<std::string_view> keys, Inspection* out);

// "a.b" of {"a": {"b": 1}}; null when it is not there.
const Json* FindPath(const Json& object, std::string_view path);

}  // namespace hearth

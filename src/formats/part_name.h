// Names of the parts that a file of weights is cut into: "model-00002-of-00003.safetensors". Pure,
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hearth {

// Views into the path that was parsed.
struct PartName {
  std::string_view stem;    // "model", with the folders before it
  uint64_t number = 0;      // 2, counted from 1
  uint64_t count = 0;       // 3
  std::string_view ending;  // ".safetensors"
};

// Nothing for the name of a whole file, and for a number that is not one of `count`.
std::optional<PartName> ParsePartName(std::string_view path);

}  // namespace hearth

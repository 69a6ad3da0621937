// What encoding a text gives: parallel arrays, one entry per token.
//
// Offsets are byte positions in the text that the caller passed, [begin, end); CharacterOffsets()
// converts them to code points, which is what Python users see. A value type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hearth::tokenizers {

struct Offsets {
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const Offsets&) const = default;
};

// One token of a model, before post-processing. Offsets are in bytes of the piece that was given.
struct Token {
  uint32_t id = 0;
  std::string value;
  Offsets offsets;
  bool operator==(const Token&) const = default;
};

}  // namespace hearth::tokenizers

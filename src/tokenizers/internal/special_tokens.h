// What the fixed post-processors (Bert, Roberta) share: one special token, and putting it around a
// sequence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "tokenizers/encoding.h"

namespace hearth::tokenizers::internal {

// ["[SEP]", 102] in the file.
struct SpecialToken {
  std::string token;
  uint32_t id = 0;

  static std::optional<SpecialToken> Parse(const Json& json, std::string_view key);
  Json ToJson() const;
};

struct Surroundings {
  const SpecialToken* before = nullptr;  // may be nullptr
  const SpecialToken* after = nullptr;
  uint32_t type_id = 0;  // of the special tokens
  size_t sequence = 0;
};

// Puts the tokens around an encoding and around each of its overflowing pieces.
void Surround(const Surroundings& surroundings, Encoding* encoding);

}  // namespace hearth::tokenizers::internal

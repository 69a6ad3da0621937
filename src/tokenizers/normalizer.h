// The stage that changes the text before it is cut: lower case, Unicode normal forms, replacements.
//
// One file per normalizer under normalizers/, one line in normalizers.inc. Implementations are
// immutable after construction and safe for concurrent use. Offset contract: each edit tells the
// NormalizedString what every character comes from; docs/extending/tokenizer_components.md.
// Format: the "normalizer" object of a tokenizer.json.
#pragma once

#include <memory>

#include "codec/json.h"
#include "tokenizers/normalized_string.h"

namespace hearth::tokenizers {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  // Throws Error: kInvalidArgument where the reference fails too, kTooLarge past a limit.
  virtual void Normalize(NormalizedString* text) const = 0;
  // The object of tokenizer.json, equal to what the reference writes.
  virtual Json ToJson() const = 0;
};

// Throws Error{kInvalidArgument} naming the key at fault.
std::unique_ptr<Normalizer> ParseNormalizer(const Json& json);

}  // namespace hearth::tokenizers

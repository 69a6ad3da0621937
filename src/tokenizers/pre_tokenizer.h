// The stage that cuts a normalized text into the pieces which the model sees one by one.
//
// One file per pre-tokenizer under pre_tokenizers/, one line in pre_tokenizers.inc. Implementations
// are immutable after construction and safe for concurrent use. Offset contract: parts are slices
// of what was there, in order; edits go through NormalizedString. Format: the "pre_tokenizer"
// object of a tokenizer.json.
#pragma once

#include <memory>

#include "codec/json.h"
#include "tokenizers/pre_tokenized_string.h"

namespace hearth::tokenizers {

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Throws Error: kInvalidArgument where the reference fails too, kTooLarge past a limit.
  virtual void PreTokenize(PreTokenizedString* text) const = 0;
  // The object of tokenizer.json, equal to what the reference writes.
  virtual Json ToJson() const = 0;
};

// Throws Error{kInvalidArgument} naming the key at fault.
std::unique_ptr<PreTokenizer> ParsePreTokenizer(const Json& json);

}  // namespace hearth::tokenizers

// The stage that turns tokens back into text.
//
// One file per decoder under decoders/, one line in decoders.inc. Implementations are immutable
// after construction and safe for concurrent use.
// Format: the "decoder" object of a tokenizer.json.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codec/json.h"

namespace hearth::tokenizers {

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Changes the tokens, or their number, in place; the decoded text is all of them joined.
  // Throws Error: kInvalidArgument where the reference fails too, kTooLarge past a limit.
  virtual void Decode(std::vector<std::string>* tokens) const = 0;
  // The object of tokenizer.json, equal to what the reference writes.
  virtual Json ToJson() const = 0;
};

// Throws Error{kInvalidArgument} naming the key at fault.
std::unique_ptr<Decoder> ParseDecoder(const Json& json);

}  // namespace hearth::tokenizers

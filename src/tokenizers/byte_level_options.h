// The "ByteLevel" object of a tokenizer.json, which is the same for the pre-tokenizer, the
// post-processor and the decoder. Value type.
#pragma once

#include "codec/json.h"

namespace hearth::tokenizers {

struct ByteLevelOptions {
  bool add_prefix_space = true;
  bool trim_offsets = true;
  bool use_regex = true;

  // Throws Error{kInvalidArgument} naming the key at fault.
  static ByteLevelOptions Parse(const Json& json);
  Json ToJson() const;
};

}  // namespace hearth::tokenizers

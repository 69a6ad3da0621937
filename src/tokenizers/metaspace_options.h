// The "Metaspace" object of a tokenizer.json, which is the same for the pre-tokenizer and the
// decoder. Value type.
#pragma once

#include <string>

#include "codec/json.h"

namespace hearth::tokenizers {

// Before which pieces of a text the mark is put.
enum class PrependScheme {
  kAlways,
  kFirst,  // only at the very start of the original text
  kNever,
};

struct MetaspaceOptions {
  char32_t mark = 0x2581;
  std::string mark_text = "\xE2\x96\x81";
  PrependScheme prepend_scheme = PrependScheme::kAlways;
  bool split = true;

  // Also reads the older form with "add_prefix_space". Throws Error{kInvalidArgument} naming the
  // key at fault.
  static MetaspaceOptions Parse(const Json& json);
  Json ToJson() const;
};

}  // namespace hearth::tokenizers

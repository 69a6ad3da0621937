// What surrounds a Unigram model in a tokenizer.json, as far as the fast path knows it.
#pragma once

#include <memory>
#include <optional>

#include "codec/json.h"
#include "tokenizers/metaspace_options.h"
#include "tokenizers/segment_encoders/unigram_charsmap.h"

namespace hearth::tokenizers {

struct UnigramLayout {
  std::shared_ptr<const Charsmap> charsmap;
  bool strip_right = false;       // Strip(right): white space at the end goes
  bool collapse_spaces = false;   // Replace " {2,}": a run of spaces is one
  bool split_whitespace = false;  // WhitespaceSplit: words, each with its own prefix
  bool split_marks = true;        // Metaspace "split": each U+2581 begins a piece
  PrependScheme prefix = PrependScheme::kAlways;
};

// nullopt when the normaliser or pre-tokenizer is none of the combinations above. Throws
// Error{kInvalidArgument} for a Metaspace that is wrong in itself.
std::optional<UnigramLayout> ReadUnigramLayout(const Json& tokenizer_json);

}  // namespace hearth::tokenizers

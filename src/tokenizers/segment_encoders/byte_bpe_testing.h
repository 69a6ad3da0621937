// Small byte-level vocabularies and texts that are hard to split, for the test and the fuzz target.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace hearth::tokenizers {

// The stages of the published files, one per splitting pattern.
struct ByteBpeFamily {
  const char* name;
  const char* pre_tokenizer;
  const char* normalizer;
  bool ignore_merges;
};
const std::vector<ByteBpeFamily>& ByteBpeFamilies();

// A tokenizer.json of the family, with merges learnt from a sample text.
Json SmallByteBpe(const ByteBpeFamily& family);

// A text of up to `pieces` fragments chosen by `seed`: runs of letters, digits, white space and
// punctuation of several scripts, contractions, marks, unassigned characters, U+0000.
std::string HardText(uint64_t seed, int pieces);

}  // namespace hearth::tokenizers

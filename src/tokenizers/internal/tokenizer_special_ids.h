// What EncodeIds puts around the ids of a text.
#pragma once

#include <cstdint>
#include <vector>

#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {

struct Tokenizer::SpecialIds {
  bool known = true;  // false: the post-processor does more than put ids around the text
  std::vector<uint32_t> before;
  std::vector<uint32_t> after;
};

}  // namespace hearth::tokenizers

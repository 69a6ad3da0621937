// A token of a text and where it lies.
#pragma once

#include <cstdint>

namespace hearth::tokenizers {

struct TokenSpan {
  uint32_t id = 0;
  // Bytes of the text, whole characters.
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t word = 0;   // which piece of the pre-tokenizer it is part of
  bool added = false;  // an added token: its text is the bytes, not the vocabulary's
};

}  // namespace hearth::tokenizers

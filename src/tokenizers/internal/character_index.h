// Byte positions of a UTF-8 text as code points, in constant time after one pass over the text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizers/encoding.h"

namespace hearth::tokenizers::internal {

class CharacterIndex {
 public:
  CharacterIndex() = default;
  explicit CharacterIndex(std::string_view text) { Reset(text); }

  // `text` must outlive the index. Keeps its memory, so a reused index allocates nothing.
  void Reset(std::string_view text);

  bool is_ascii() const { return ascii_; }

  // A position inside a character gives the character. An end past the text counts one character
  // after the last one; a begin that is not inside the text leaves the pair as it is (the
  // reference's rule, which an empty token at the very end meets).
  Offsets Convert(Offsets bytes) const;

 private:
  // Index of the character that the byte belongs to.
  size_t CharacterOf(size_t byte) const;

  std::string_view text_;
  bool ascii_ = true;
  std::vector<uint32_t> before_;  // characters that start before each block of kBlock bytes
};

}  // namespace hearth::tokenizers::internal

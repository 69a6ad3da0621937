// What of a text each of its tokens shows, so that the pieces read like the text.
#pragma once

#include <string>
#include <string_view>

#include "tokenizers/encoding.h"

namespace hearth::cli {

// Walks over the tokens of one text, in order. Several tokens may share a character: the bytes of
// one, or what a normalizer made of it. The first of them shows it, the others show which bytes of
// it they are ("<0xA5>"), or their own spelling.
// Thread rule: one thread. Borrows the text.
class TokenPieces {
 public:
  explicit TokenPieces(std::string_view text) : text_(text) {}

  struct Piece {
    std::string_view before;  // of the text: what no token covers (blanks)
    std::string marker;       // for what an earlier token has shown, or a token without text
    std::string_view text;    // of the text
  };
  // `token` as the vocabulary spells it, `offsets` in bytes of the text.
  Piece Next(std::string_view token, tokenizers::Offsets offsets);

 private:
  std::string_view text_;
  size_t shown_to_ = 0;
};

}  // namespace hearth::cli

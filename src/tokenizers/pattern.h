// The "pattern" of Split and Replace: a fixed string or a regular expression.
// Format: {"String": "..."} or {"Regex": "..."} in a tokenizer.json.
// Immutable, safe for concurrent use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "text/regex.h"
#include "tokenizers/split.h"

namespace hearth::tokenizers {

class Pattern {
 public:
  // Throws Error{kInvalidArgument} for another shape or an expression that is wrong, kTooLarge for
  // one that is too large.
  static Pattern Parse(const Json& json);

  // See FindPieces. Throws Error{kTooLarge} when the expression needs too many steps.
  void FindPieces(std::string_view text, std::vector<Piece>* pieces) const;
  Json ToJson() const;

 private:
  Pattern(std::string source, bool is_regex, Regex regex)
      : source_(std::move(source)), is_regex_(is_regex), regex_(std::move(regex)) {}

  void FindLiteral(std::string_view text, std::vector<Piece>* pieces) const;

  std::string source_;
  bool is_regex_;
  Regex regex_;
};

}  // namespace hearth::tokenizers

// Tokens of the template language, with white space control already applied to the data between
// tags.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/template.h"

namespace hearth::tmpl {

enum class TokenKind {
  kData,
  kVariableBegin,
  kVariableEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,
  kInteger,
  kFloat,
  kOperator,
  kEnd
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // data, name, operator, digits, or the unescaped string
  int line = 1;
};

// Throws Error{kInvalidArgument} with template name and line.
std::vector<Token> Tokenize(std::string_view source, const TemplateOptions& options);

[[noreturn]] void FailAt(const TemplateOptions& options, int line, const std::string& why);

}  // namespace hearth::tmpl

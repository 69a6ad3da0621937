#include "text/regex.h"

#include "text/internal/regex_ast.h"
#include "text/internal/regex_matcher.h"
#include "text/internal/regex_program.h"
#include "text/utf8.h"

namespace hearth {

using regex_internal::Matcher;
using regex_internal::Program;

Regex Regex::Compile(std::string_view pattern, const RegexLimits& limits) {
  Program program = regex_internal::CompileRegex(regex_internal::ParseRegex(pattern));
  program.pattern = pattern;
  program.limits = limits;
  return Regex(std::make_shared<const Program>(std::move(program)));
}

Regex Regex::Literal(std::string_view text) {
  regex_internal::ParsedPattern parsed;
  parsed.root = regex_internal::MakeBytes(text);
  Program program = regex_internal::CompileRegex(parsed);
  program.pattern = text;
  return Regex(std::make_shared<const Program>(std::move(program)));
}

const std::string& Regex::pattern() const { return program_->pattern; }

std::optional<RegexMatch> Regex::Find(std::string_view text, size_t from) const {
  return Matcher(*program_, text).Find(from);
}

RegexScanner::RegexScanner(const Regex& regex, std::string_view text)
    : matcher_(std::make_unique<Matcher>(*regex.program_, text)), text_(text) {}

RegexScanner::~RegexScanner() = default;

std::optional<RegexMatch> RegexScanner::Next() {
  while (from_ <= text_.size()) {
    std::optional<RegexMatch> match = matcher_->Find(from_);
    if (!match) {
      from_ = SIZE_MAX;
      return std::nullopt;
    }
    if (match->begin == match->end && match->end == last_end_) {
      from_ += from_ < text_.size() ? DecodeUtf8(text_.substr(from_)).length : 1;
      continue;
    }
    from_ = match->end;
    last_end_ = match->end;
    return match;
  }
  return std::nullopt;
}

}  // namespace hearth

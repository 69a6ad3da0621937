// Regular expressions with the meaning that Oniguruma (Ruby-like default syntax, UTF-8, Unicode 16)
// gives them, because that is what `Split` and `Replace` of tokenizer files are written for.
//
// Understood: literals and escapes (\t \n \r \f \v \a \e \xHH \x{H..} \uHHHH \o{..} \ooo \cx),
// classes with ranges, nested sets, && and POSIX brackets, \p{..} \P{..} \p{^..}, \d \w \s \h and
// their negations, \R \X \N \O, groups (capturing, named, (?:), atomic), options i m x (inline and
// for a group), look-ahead and look-behind, quantifiers (greedy, lazy, possessive; {n,m}+ is not
// possessive), ^ $ \A \z \Z \b \B \G \K, back references. Refused with kInvalidArgument:
// subexpression calls, conditionals, absent operators, callouts.
//
// Matching backtracks, leftmost first by priority, on an explicit stack: never by recursion.
// Patterns as tokenizers use them run in linear time; for the others every Find has a budget of
// steps.
//
// Thread rule: a Regex is immutable and may be shared. Copies are cheap (one reference count).
// Text is UTF-8. Bytes that are not are read as one U+FFFD each; no input reads out of bounds.
// Errors: kInvalidArgument (the pattern; the message ends with the byte position), kTooLarge (the
// pattern compiles to too much, or a search spent its steps or its memory). Source: Oniguruma's
// doc/RE; every deviation found by comparing against the `tokenizers` package is a test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace hearth {

namespace regex_internal {
struct Program;
class Matcher;
}  // namespace regex_internal

struct RegexMatch {
  size_t begin = 0;  // bytes
  size_t end = 0;
  bool operator==(const RegexMatch&) const = default;
};

struct RegexLimits {
  // Per Find: instructions executed and characters looked at by loops, both counted coarsely.
  // Ordinary patterns spend a few per byte of a match; ten million are some hundredths of a second.
  uint64_t max_steps = 10'000'000;
  size_t max_stack_bytes = 64u << 20;  // of the backtracking stack
};

class Regex {
 public:
  static Regex Compile(std::string_view pattern, const RegexLimits& limits = {});
  // The pattern that matches exactly this text.
  static Regex Literal(std::string_view text);

  // The first match that begins at `from` or later; what lies before `from` is seen by look-behind,
  // ^ and \b.
  std::optional<RegexMatch> Find(std::string_view text, size_t from = 0) const;

  // Calls take(RegexMatch) for each match in turn, as onig's find_iter yields them: an empty match
  // directly behind the previous match is left out.
  template <typename Take>
  void ForEachMatch(std::string_view text, Take&& take) const;

  const std::string& pattern() const;

 private:
  friend class RegexScanner;
  explicit Regex(std::shared_ptr<const regex_internal::Program> program)
      : program_(std::move(program)) {}
  std::shared_ptr<const regex_internal::Program> program_;
};

// One pass over a text; keeps the matcher's memory between matches. Borrows the regex and the text.
class RegexScanner {
 public:
  RegexScanner(const Regex& regex, std::string_view text);
  ~RegexScanner();
  RegexScanner(const RegexScanner&) = delete;
  RegexScanner& operator=(const RegexScanner&) = delete;

  std::optional<RegexMatch> Next();

 private:
  std::unique_ptr<regex_internal::Matcher> matcher_;
  std::string_view text_;
  size_t from_ = 0;
  size_t last_end_ = SIZE_MAX;
};

template <typename Take>
void Regex::ForEachMatch(std::string_view text, Take&& take) const {
  RegexScanner scanner(*this, text);
  while (std::optional<RegexMatch> match = scanner.Next()) take(*match);
}

}  // namespace hearth

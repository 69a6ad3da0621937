// The lexical half of the pattern parser: characters, escapes, classes, options.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "text/internal/code_point_set.h"

namespace hearth::regex_internal {

struct Options {
  bool ignore_case = false;  // i
  bool multi_line = false;   // m: '.' takes a newline too
  bool extended = false;     // x: blanks and comments do not count
  bool ascii_word = false;   // W
  bool ascii_digit = false;  // D
  bool ascii_space = false;  // S
  bool ascii_posix = false;  // P
};

std::string EncodeUtf8(char32_t c);

class Cursor {
 public:
  explicit Cursor(std::string_view pattern) : pattern_(pattern) {}

  std::string_view pattern() const { return pattern_; }
  size_t position() const { return at_; }
  bool AtEnd() const { return at_ >= pattern_.size(); }
  char Peek() const { return pattern_[at_]; }
  char PeekAt(size_t offset) const {
    return at_ + offset < pattern_.size() ? pattern_[at_ + offset] : '\0';
  }
  void Skip(size_t bytes) { at_ += bytes; }
  void MoveTo(size_t position) { at_ = position; }
  bool Accept(char c);
  bool AcceptText(std::string_view text);

  [[noreturn]] void Fail(std::string_view message) const { Fail(message, at_); }
  [[noreturn]] void Fail(std::string_view message, size_t position) const;

  void SkipExtended();                                 // blanks and # comments
  void SkipComment();                                  // behind "(?#"
  std::optional<uint32_t> AcceptNumber(uint32_t max);  // digits; larger ones fail
  std::string ParseName(char close);                   // of a group
  // Letters behind "(?"; returns the ':' or ')' that ends them, which is consumed.
  char ParseOptions(Options* options);

  // A character that stands for itself; nullopt (nothing consumed) at a metacharacter or '\'.
  std::optional<char32_t> AcceptLiteral();
  // \d \p{..} and the like; nullopt when the escape is no class.
  std::optional<CodePointSet> AcceptClassEscape(const Options& options, bool in_class);
  // \n \x{..} ...; the cursor is at the '\'.
  char32_t ParseCharacterEscape();
  // The cursor is at '['. Case closure is worked in when the options ask for it.
  CodePointSet ParseClass(const Options& options, int depth = 0);
  bool last_class_was_negative() const { return last_class_was_negative_; }

 private:
  struct ClassState;
  char32_t ParseUtf8();
  char32_t ParseHex(size_t min_digits, size_t max_digits);
  char32_t ParseOctal(size_t max_digits);
  char32_t ParseBraced(bool octal);
  std::optional<CodePointSet> AcceptPosixBracket(const Options& options);
  std::optional<char32_t> ParseClassMember(const Options& options, CodePointSet* set, int depth);
  CodePointSet ParseClassItems(const Options& options, size_t start, int depth);

  std::string_view pattern_;
  size_t at_ = 0;
  bool last_class_was_negative_ = false;
};

}  // namespace hearth::regex_internal

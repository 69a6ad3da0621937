// The pattern language of .gitattributes and .gitignore (gitignore(5), wildmatch with pathname
// rules): '*' and '?' stop at '/', "**/" is any number of folders, "/**" everything below, classes
// with ranges, negation and POSIX names. Compiled once; matching simulates all states at once, so
// the cost is at most pattern length times path length whatever the pattern is.
//
// A compiled pattern is a plain value; const use is thread-safe.
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

namespace hearth::hub {

class WildPattern {
 public:
  explicit WildPattern(std::string_view pattern);
  bool Matches(std::string_view text) const;

 private:
  enum class Kind : uint8_t {
    kChar,
    kAnyOne,        // ?
    kClass,         // [...]
    kStar,          // *: any run without '/'
    kFoldersStart,  // "**/": at a folder boundary
    kFoldersIn,     // ... inside a folder name that it skips
    kRest,          // "/**" at the end: one byte or more of anything
  };
  struct Token {
    Kind kind;
    char literal = 0;
    uint16_t class_index = 0;
  };
  using States = std::vector<char>;

  size_t ParseClass(std::string_view pattern, size_t at);
  size_t ParseStars(std::string_view pattern, size_t at);
  void Enter(States* states, size_t state) const;
  void Step(size_t state, char c, States* next) const;

  std::vector<Token> tokens_;
  std::vector<std::bitset<256>> classes_;
  bool broken_ = false;  // an unclosed class: matches nothing, as in git
};

}  // namespace hearth::hub

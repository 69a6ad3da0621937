// A README.md as the inspector reads it: front matter, and the text cut into sections by its
// headings. What a template left behind ("[More Information Needed]") does not count as text. Pure,
// thread-safe. Never throws on content.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace hearth::inspector {

struct CardSection {
  std::string heading;    // "" = what stands before the first heading
  int level = 0;          // 1 to 6; 0 = before the first heading
  size_t line = 1;        // of the heading, in README.md
  std::string id;         // the anchor of the page; "" = none
  std::string text;       // of its own, without subsections; what a template left is taken out
  size_t words = 0;       // of `text`
  bool residue = false;   // a template's blanks stood here
  size_t table_rows = 0;  // with a digit in them
  std::vector<std::string> links;  // targets
};

struct CardCode {
  std::string language;  // as written
  std::string text;
  size_t line = 1;
  size_t section = 0;  // index into sections
};

struct CardDocument {
  bool present = false;               // there is a README.md
  bool too_large = false;             // the text was not read
  Json data;                          // front matter; null when absent or broken
  std::vector<std::string> problems;  // why it is broken
  std::vector<CardSection> sections;  // never empty
  std::vector<CardCode> code;

  // Where a key of the front matter stands, "line 3"; "" when it is not there.
  std::string PlaceOf(std::string_view key) const;
  std::vector<std::pair<std::string, size_t>> key_lines;  // top-level keys
};

constexpr uint64_t kMaxCardBytes = 1u << 20;

// nullopt = there is no README.md.
CardDocument ParseCard(const std::optional<std::string>& readme);

// One value or a list of them, as strings; numbers as written, other items left out. nullptr: none.
std::vector<std::string> ListedTexts(const Json* value);
std::vector<std::string> CardList(const Json& data, std::string_view key);
// The value of a key that is one string or number; "" otherwise.
std::string CardText(const Json& data, std::string_view key);

// Words, counted alike for languages that put no blanks between them: two characters of Chinese or
// Japanese and five of Thai are about one word.
size_t CountWords(std::string_view text);

}  // namespace hearth::inspector

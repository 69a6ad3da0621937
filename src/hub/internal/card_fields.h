// Reading card front matter leniently: one value or a list, numbers where words belong. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace hearth::hub {

struct Card {
  Json data;                          // object; null when absent or broken
  std::string text;                   // Markdown without the front matter
  bool has_front_matter = false;      // the marker lines were there
  std::vector<std::string> problems;  // why `data` is null although front matter is there
};

// Splits and parses README.md. Never throws on content.
Card ReadCard(std::string_view markdown);

// A string, or each string of a list; numbers as written ("3.1"); other items are left out.
std::vector<std::string> TextList(const Json* value);
// The string value of a member, "" when absent or of another type.
std::string TextOf(const Json& object, std::string_view key);
// "ns/name" or a one-part legacy name, as a reference to a repository.
bool LooksLikeRepoId(std::string_view text);

}  // namespace hearth::hub

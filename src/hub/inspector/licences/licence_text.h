// Which licence a text is: by the words of known licences (licence_prints.inc), by SPDX
// identifiers, by names in running text. Reads bytes of strangers: bounded, never throws on
// content. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::inspector {

struct TextMatch {
  std::string id;    // as on cards; "other" for known texts without an id
  std::string name;  // of the licence
  double share = 0;  // of the licence's words that stand in the text, 0..1
  // Words of the text beyond those of the licence; below zero when it is shorter.
  ptrdiff_t extra_words = 0;
  bool verbatim = false;  // its binding part stands in the text word for word
  // Nothing else but a title and a name.
  bool exact() const { return verbatim && extra_words <= 6; }
};

// Texts of known licences in `text`, the one with most words first. Several when a file holds
// several. `share` is at least 0.75.
std::vector<TextMatch> MatchLicenceText(std::string_view text);

struct LicenceMention {
  std::string id;
  std::string words;  // "SPDX-License-Identifier: MIT", "Apache License, Version 2.0"
  size_t line = 0;    // from 1
};
// "SPDX-License-Identifier: ..." lines: every identifier of the expression that has a row. At most
// 20.
std::vector<LicenceMention> FindSpdxLines(std::string_view text);
// Names of licences in running text, such as a README's section or a NOTICE; each once, at most 20.
std::vector<LicenceMention> FindLicenceNames(std::string_view text, size_t first_line = 1);

struct TextSection {
  std::string_view text;
  size_t first_line = 1;  // of `text`
};
// What stands under a Markdown heading that speaks of a licence (in some dozen languages), up to
// the next heading of its rank; nullopt without such a heading.
std::optional<TextSection> FindLicenceSection(std::string_view markdown);

// "LICENSE", "LICENCE.txt", "COPYING", "LICENSE-MIT", "licenses/llama.txt", ... at any depth.
bool IsLicenceFileName(std::string_view path);

}  // namespace hearth::inspector

// The passage of a document that shows why it was found. Pure; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "search/document.h"

namespace hearth::search {

struct Snippet {
  Field field = Field::kBody;
  std::string text;                                    // plain text: whoever shows it escapes it
  std::vector<std::pair<uint32_t, uint32_t>> matches;  // byte ranges of `text`, rising, apart
  bool cut_before = false, cut_after = false;
};

// Places of the terms (sorted, as Search gives them) in a text.
std::vector<std::pair<uint32_t, uint32_t>> FindMatches(std::string_view text,
                                                       const std::vector<std::string>& terms,
                                                       bool name);
// The passage with most of the terms, of the card if it has any, else of code, else of file names;
// the start of the card when nothing has.
Snippet MakeSnippet(const std::array<std::string, kFields>& texts,
                    const std::vector<std::string>& terms, size_t max_bytes);

}  // namespace hearth::search

// What a person typed into the search box.
//
//   words            all must occur (or words like them); the last one may be the start of a word
//   "a phrase"       these words in this order
//   -word -"phrase"  must not occur
//   author:x task:x license:x library:x lang:x type:x ...   filters, handed on as they are
//
// A key is one of those that the caller knows: "https://..." and "note: this" are words.
// Pure; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::search {

inline constexpr size_t kMaxQueryBytes = 512;
inline constexpr size_t kMaxQueryWords = 24;  // further ones are passed over

struct QueryWord {
  std::string term;           // as terms are
  std::string typed;          // folded, not stemmed: for prefixes and corrections
  size_t begin = 0, end = 0;  // bytes of the query
  bool paired = false;        // of a script without spaces: no misspelling, no prefix
};

struct QueryPhrase {
  std::vector<std::string> terms;
};

struct Query {
  std::string text;  // cut to kMaxQueryBytes
  std::vector<QueryWord> words;
  std::vector<QueryPhrase> phrases;
  std::vector<QueryPhrase> without;  // single words, too
  std::vector<std::pair<std::string, std::string>> filters;
  bool last_is_open = false;  // the last word has no space behind it: it may go on

  bool empty() const { return words.empty() && phrases.empty() && without.empty(); }
};

// `keys`: of filters. Takes any bytes.
Query ParseQuery(std::string_view text, std::span<const std::string_view> keys);

}  // namespace hearth::search

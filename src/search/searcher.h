// Ranked full-text search over a snapshot of the index.
//
// A document matches when every word of the query occurs in it, every phrase does and nothing of
// what must not. A word also stands for the words that begin with it while it is still being typed,
// and, when it occurs in few documents that the caller may see, for words within one or two edits
// of it. When no document has all words, those that have most of them match ("relaxed").
//
// Rank: BM25 over weighted fields (document.h); how rare a word is counts over what the caller may
// see. Equal ranks are in the order of ids.
//
// What is not in `allowed` has no effect on anything that is returned: not on matches, counts,
// corrections or terms. (How rare a frequent word is is counted over all documents; that is the one
// exception, and shows in no value.) Thread-safe; throws kInternal for a damaged index.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bitmap.h"
#include "search/index.h"
#include "search/query.h"

namespace hearth::search {

struct SearchHit {
  uint32_t id = 0;
  float score = 0;
};

struct SearchResult {
  size_t total = 0;
  std::vector<SearchHit> hits;  // best first: from `skip`, at most `limit`
  Bitmap matches;               // all ids
  bool relaxed = false;         // some words are missing in the matches
  // The query with misspelt words replaced; "" = none was.
  std::string corrected;
  // Terms that stand for words of the query, sorted: what to highlight.
  std::vector<std::string> terms;
};

// Hits are those in `chosen`, a part of `allowed`; matches and what is forgiven are of all.
SearchResult Search(const SnapshotPtr& snapshot, const Query& query, const Bitmap& allowed,
                    const Bitmap& chosen, size_t skip, size_t limit);

// The texts of a document by field; nullopt when the snapshot does not have it. kInternal: damaged.
using Texts = std::array<std::string, kFields>;
std::optional<Texts> ReadTexts(const SnapshotPtr& snapshot, uint32_t id);

}  // namespace hearth::search

// What of a repository is searched: the document that hub/full_text puts into the index.
#pragma once

#include <string>
#include <string_view>

#include "hub/facts.h"
#include "search/document.h"

namespace hearth::hub {

// In the code field every file begins with this, its path and a line feed.
inline constexpr char kFileMark = '\f';

// Changes whenever the document would.
uint64_t DocumentStamp(const RepoRecord& repo);
// Reads the text files of the commit through the handle; what cannot be read is left out. Files of
// a gated repository are not searched, as not everybody who sees the repository may read them.
search::Document MakeDocument(const RepoHandle& repo, const RepoFacts& facts);

// Markdown as people read it: without tags, link targets and marks. Rough on purpose.
std::string PlainText(std::string_view markdown);
std::string HeadingsOf(std::string_view markdown);

}  // namespace hearth::hub

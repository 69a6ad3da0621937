// What the pages of one repository share: its header, its facts, its rendered Markdown.
#pragma once

#include <string>
#include <string_view>

#include "codec/json.h"
#include "server/pages/site.h"

namespace hearth::server {

// {repo, tab, revision} as macros.html's repo_head takes them: name, chips, likes, tabs. `tab` is
// "card", "files", "commits", ...; `facts` may be null.
Json RepoPageData(Context& context, std::string_view tab, std::string_view revision,
                  const hub::RepoFacts* facts);
// Facts of main; null for an empty repository.
hub::FactsPtr HeadFacts(Context& context);
// Markdown of the repository as safe HTML, whose relative links point to `revision` and `folder`.
// Kept in memory: the same card is shown again and again. A text that is too large gives a sentence
// that says so.
std::string CardHtml(Context& context, std::string_view markdown, std::string_view revision,
                     std::string_view folder);
// [{level, id, html}] of the headings in what CardHtml has returned, at most 60.
Json TableOfContents(std::string_view html);

}  // namespace hearth::server

// What the pages of one repository share: the place that an address names, the data of their head,
// and Markdown as this site shows it. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "server/pages/site.h"
#include "storage/git/git_repository.h"

namespace hearth::server {

// A revision and a path in the repository of the request.
struct RepoPlace {
  storage::GitRepository git;
  std::string revision;
  std::string path;
  GitOid commit;
};
// `raw` = "main/a/b", still encoded. Throws RevisionNotFound.
RepoPlace OpenPlace(Context& context, std::string_view raw);

// {"repo", "tab", "revision"} for RenderPage; `facts` may be null.
Json RepoPageData(Context& context, std::string_view tab, std::string_view revision,
                  const hub::RepoFacts* facts);
// Facts of main; null when there is no commit yet.
hub::FactsPtr HeadFacts(Context& context);
// Markdown of a repository as safe HTML, kept for the next time.
std::string CardHtml(const hub::RepoRecord& repo, std::string_view markdown,
                     std::string_view revision, std::string_view folder);
std::string CardHtml(Context& context, std::string_view markdown, std::string_view revision,
                     std::string_view folder);
// [{"name", "path"}] for each part of a path.
Json Crumbs(std::string_view path);
// Names of branches and tags.
Json BranchNames(const storage::GitRepository& git);

}  // namespace hearth::server
